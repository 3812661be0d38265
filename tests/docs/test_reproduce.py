"""What docs/safe-change/reproduce.md has typed works as it is shown, against a real service."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.model.outcome import FlowOutcome
from tests import forked
from tests.docs.pages import DOCS, blocks, matches
from tests.e2e.serving import Served, serve
from triggers import get_trigger

PAGE = "safe-change/reproduce.md"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
MANIFEST = "actions:\n  plan: { file: plan.js, trigger: post-login }\nbindings:\n  post-login: [plan]\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path / "data", "--https") as found:
        yield found


def test_the_page_works_as_it_is_typed(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = tmp_path / "author"
    author.mkdir()
    monkeypatch.chdir(author)
    whole, changed = blocks(PAGE, "js")
    (author / "actionbox.yaml").write_text(MANIFEST)
    (author / "plan.js").write_text(whole)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ACTIONBOX_")}
    plain |= {name: os.environ[name] for name in ("ACTIONBOX_CACHE",) if name in os.environ}
    plain |= {"ACTIONBOX_PROFILES": str(tmp_path / "profiles"), "NO_COLOR": "1"}
    known = {**plain, **served.environment()}
    assert forked.run(("push", ".", "--yes"), known).returncode == 0
    served.api().send("PATCH", "/api/v2/record-policy", body={"policy": "failures"})
    outcome = served.runtime().invoke("post-login", get_trigger("post-login").example_event)
    assert isinstance(outcome, FlowOutcome)
    for block in blocks(PAGE, "console"):
        for command, shown in re.findall(r"^\$ actionbox (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if command.startswith("verify"):
                (author / "records").mkdir()
                (author / "ticket-17.json").rename(author / "records" / "ticket-17.json")
            if "--with" in command:
                lines = whole.splitlines(keepends=True)
                (author / "plan.js").write_text("".join((*lines[:3], changed, *lines[4:])))
            typed = command.replace(ID, outcome.execution_id)
            typed = typed.replace("https://localhost:8443", known["ACTIONBOX_URL"])
            done = forked.run(shlex.split(typed), known if typed.startswith("login") else plain)
            printed = done.stdout + done.stderr
            assert done.returncode in (0, 1), printed
            assert matches(shown.replace(ID, outcome.execution_id), printed), (command, printed)


def test_every_option_and_message_of_the_page_is_there() -> None:
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    done = forked.run(("replay", "--help"), {**os.environ, "COLUMNS": "200"})
    for option in set(re.findall(r"`(--[a-z]+)", page)) - {"--junit"}:
        assert option in done.stdout, option
