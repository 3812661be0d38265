"""`actionbox dev` in a real browser: from an empty folder to a passing case, and through a whole login."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.chromium import chromium, executable, page_of, screenshot
from tests.dev.process import PATIENCE, Dev, serving

expect.set_options(timeout=PATIENCE * 1000)

LOGIN = """\
exports.onExecutePostLogin = async (event, api) => {
  const token = api.redirect.encodeToken({ secret: event.secrets.SITE, payload: { asks: "job" } });
  api.redirect.sendUserTo("https://site.example/profile", { query: { session_token: token } });
};
exports.onContinuePostLogin = async (event, api) => {
  const { job } = api.redirect.validateToken({ secret: event.secrets.SITE });
  api.idToken.setCustomClaim("https://harbor.example/job", job);
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    executable()
    folder = tmp_path_factory.mktemp("browser") / "actions"
    folder.mkdir()
    with serving(folder, "--secret", "SITE=a-secret-of-the-profile-site-0001") as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, dev: Dev) -> Iterator[Page]:
    with page_of(browser) as found:
        found.goto(dev.link)
        yield found


def test_from_an_empty_folder_to_a_passing_case(dev: Dev, page: Page) -> None:
    expect(page.get_by_role("heading", name="Folder", exact=True)).to_be_visible()
    expect(page.get_by_text("This folder has no Action yet")).to_be_visible()
    assert "#link" not in page.url
    page.get_by_role("button", name="New Action").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("guard")
    dialog.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/console/actions/*")
    assert (dev.folder / "guard.js").is_file()

    page.keyboard.press("Alt+0")
    page.wait_for_url("**/console/folder")
    expect(page.locator("li.case .badge")).to_have_text("passed")


def test_a_failing_case_is_shown_and_mended(dev: Dev, page: Page) -> None:
    page.get_by_role("button", name="Edit guard.case.yaml").click()
    text = page.get_by_label("Text of guard.case.yaml")
    text.fill(text.input_value().replace("decision: allow", "decision: deny"))
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("li.case .badge")).to_have_text("failed")
    expect(page.locator(".differences .expected").first).to_have_text("'deny'")
    expect(page.locator(".differences .found").first).to_have_text("'allow'")
    screenshot(page, "folder")

    path = dev.folder / "guard.js"
    path.write_text(path.read_text().replace("};", '  api.access.deny("nobody comes in");\n};', 1))
    expect(page.locator("li.case .badge")).to_have_text("passed")
    path.write_text("exports.onExecutePostLogin = async (event, api) => {\n  const = 1;\n};\n")
    expect(page.get_by_role("alert", name="What is wrong")).to_contain_text("guard.js, line 2")
    path.unlink()
    (dev.folder / "guard.case.yaml").unlink()
    expect(page.get_by_text("This folder has no Action yet")).to_be_visible()


def test_a_whole_login_by_hand(dev: Dev, page: Page) -> None:
    (dev.folder / "profile.js").write_text(LOGIN)
    expect(page.get_by_role("cell", name="live")).to_be_visible()
    page.get_by_role("link", name="Simulate").click()
    event = page.get_by_label("Event", exact=True)
    expect(event).to_have_value(re.compile("user_id"))
    event.fill("[]")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("This is no JSON object")).to_be_visible()
    event.fill("{}")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The user is sent to another site")).to_be_visible()
    page.get_by_text("What the site is told").click()
    expect(page.get_by_text('"asks": "job"')).to_be_visible()
    page.get_by_label("Secret", exact=True).fill("SITE")
    page.get_by_label("Claims of the token").fill('{"job": "harbour pilot"}')
    screenshot(page, "simulate")
    page.get_by_role("button", name="Come back").click()
    expect(page.get_by_text("harbour pilot").last).to_be_visible()
    expect(page.locator(".effects").last).to_contain_text("https://harbor.example/job")
    (dev.folder / "profile.js").unlink()


def test_both_pages_fit_a_phone(dev: Dev, page: Page) -> None:
    page.set_viewport_size({"width": 380, "height": 740})
    for path in ("folder", "simulate"):
        page.goto(f"{dev.link.partition('#')[0]}/{path}")
        page.get_by_role("heading", level=1).wait_for()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
    page.set_viewport_size({"width": 1280, "height": 800})
