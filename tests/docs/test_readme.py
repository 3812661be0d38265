"""The tour of the README is real: its commands print what it shows, but for times and sizes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import count

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ACTIONBOX = f'{sys.executable} -c "from runner.cli import main; main()"'


def block(language: str, *, after: str) -> str:
    """The first fenced block of `language` that follows the text `after`."""
    found = re.search(rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert found is not None
    return found[1]


def without_figures(text: str) -> str:
    text = re.sub(r" +\d+\.\d MB", " N MB", re.sub(r"\d+(\.\d+)? ms", "N ms", text))
    return re.sub(r" +", " ", text).strip()


@pytest.fixture
def tour(tmp_path: Path) -> Path:
    tmp_path.joinpath("domain.js").write_text(block("js", after="`domain.js`"))
    tmp_path.joinpath("welcome.py").write_text(block("python", after="`welcome.py`"))
    return tmp_path


@pytest.mark.parametrize(("after", "status"), [("Run both as one flow", 1), ("shown where it is", 2)])
def test_a_command_prints_what_the_readme_shows(tour: Path, after: str, status: int) -> None:
    command, _, shown = block("console", after=after).partition("\n")
    line = command.removeprefix("$ ").replace("actionbox run", f"{ACTIONBOX} run")
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", line],
        cwd=tour,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **_cache()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    printed = [line.rstrip() for line in without_figures(done.stdout).splitlines()]
    assert printed == [line.rstrip() for line in without_figures(shown).splitlines()]


def _cache() -> dict[str, str]:
    return {name: os.environ[name] for name in ("HOME", "ACTIONBOX_CACHE") if name in os.environ}


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
TOPS = "actionbox|runner|sandbox|triggers|tests|tools|bench|deploy|samples|docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path) -> None:
    """Linked files, paths of the repository, and modules."""
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for target in re.findall(rf"`((?:{TOPS})/[\w./-]+)`", text):
        assert (ROOT / target).exists(), target
    for name in re.findall(r"`((?:runner|sandbox|triggers|tools)(?:\.[a-z_]+)+)`", text):
        place = ROOT / name.replace(".", "/")
        assert place.exists() or place.with_suffix(".py").exists(), name


RUN = {
    "docs/console.md": 1,  # test_console_page.py
    "README.md": 4,
    "docs/dependencies.md": 2,
    "docs/embedding.md": 5,
    "docs/existing-tools.md": 3,
    "docs/identity-providers.md": 3,
    "docs/operations.md": 1,
    "docs/python.md": 1,
    "docs/runtime-api.md": 6,
    "docs/safe-change/reproduce.md": 7,
    "docs/safe-change/rollouts.md": 2,
    "docs/safe-change/shadow.md": 4,
    "docs/tenant-cli.md": 2,
    "docs/testing.md": 7,
    "docs/writing-actions.md": 11,
}
"""Blocks that are executed: here, in `tests/test_samples.py` or in `tests/e2e/test_clients.py`."""
NOT_RUN = {
    "README.md": 3,  # a picture, `make run` and `make test`, which CI runs, and the shell's own `activate`
    "CONTRIBUTING.md": 1,  # the same
    "docs/architecture.md": 2,  # pictures
    # Terraform, the auth0 command line and the deploy tool, with variables for them: the requests of
    # the first two are sent as recorded (tests/management/test_go_clients.py), the tool is run (tests/e2e).
    "docs/existing-tools.md": 4,
    "docs/decisions/0002-surface-wire-format.md": 1,  # an excerpt
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_is_executed(page: Path) -> None:
    """Those of `docs/triggers` are generated, and parametrized in tests/triggers/test_pages.py."""
    name = page.relative_to(ROOT).as_posix()
    known = 3 if name.startswith("docs/triggers/") else RUN.get(name, 0) + NOT_RUN.get(name, 0)
    assert count(name) == known, "a new block needs a test, or a reason in NOT_RUN"
