"""A real browser: Debian's Chromium, which the package `playwright` drives and nothing downloads.

Whatever a page reports against its policy, and every fault of a script, fails the test that has the page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

SCREENSHOTS: Final = Path(__file__).parents[2] / "docs" / "console"
MAX_SCREENSHOT_BYTES: Final = 150_000
_PATIENCE_MS: Final = 180_000.0
_TELL: Final = """
window.reports = [];
addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI, sourceFile, lineNumber } = event;
  window.reports.push(`${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber}`);
});
"""
Theme = Literal["light", "dark"]
_THEMES: Final[tuple[Theme, Theme]] = ("light", "dark")
_NARROW: Final = 380


def executable() -> str:
    """The browser; without one, the tests that need it are skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("THERE IS NO CHROMIUM: the console is not tested in a browser (apt-get install chromium)")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for all tests of a process."""
    path = executable()
    # A root user has no sandbox of Chromium's; what it loads here is our own service.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(
    browser: Browser, *, theme: Theme = "light", width: int = 1280, height: int = 800
) -> Iterator[Page]:
    """A page with cookies of its own."""
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": height})
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(_TELL)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield page
        reports: Any = page.evaluate("window.reports")
        assert reports == [], reports
        assert faults == [], faults
    finally:
        context.close()


def check_access(page: Page) -> None:
    """The page is for everybody: axe finds nothing in either theme, and it fits a phone's width."""
    for theme in _THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found = Axe().run(page, options={"resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{page.url} ({theme}): {found.generate_report()}"
    page.emulate_media(color_scheme="light")
    before = page.viewport_size
    assert before is not None
    page.set_viewport_size({"width": _NARROW, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(before)
    assert width <= _NARROW, page.url


def screenshot(page: Page, name: str) -> None:
    """Both themes of what the page shows, for the documentation, when `ACTIONBOX_SCREENSHOTS` is set."""
    if not os.environ.get("ACTIONBOX_SCREENSHOTS"):
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    for theme in _THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        path = SCREENSHOTS / f"{name}-{theme}.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size < MAX_SCREENSHOT_BYTES, path
    page.emulate_media(color_scheme="light")
