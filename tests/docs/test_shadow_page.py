"""What docs/safe-change/shadow.md shows, done as it stands there."""

from __future__ import annotations

import copy
import json
import shlex
from pathlib import Path

import pytest

from runner.cli import main
from runner.cli.shadow.rules import read_rules
from runner.management.shadows.schemas import CreateShadow
from runner.shadow.lockout import LockoutList
from tests.docs.pages import blocks, matches
from triggers import get_trigger

PAGE = "safe-change/shadow.md"
BEFORE = "exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim('a', 1); };\n"
AFTER = BEFORE.replace(
    "{ api", "{ if (event.authorization.roles.includes('admin')) api.access.deny('no'); api"
)


def status(command: str) -> int:
    """The exit status of a command, without the name of the program."""
    with pytest.raises(SystemExit) as end:
        main(shlex.split(command))
    return int(end.value.code or 0)


def test_the_command_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records").mkdir()
    action = tmp_path / "roles.js"
    action.write_text(BEFORE)
    for role in ("admin", "reader"):
        event = copy.deepcopy(get_trigger("post-login").example_event)
        event["authorization"] = {"roles": [role]}
        (tmp_path / "event.json").write_text(json.dumps(event))
        run = f"run roles.js --trigger post-login --event event.json --record records/{role}.json"
        assert status(run) == 0
    action.write_text(AFTER)
    (shown,) = blocks(PAGE, "console")
    first, printed = shown.split("\n", 1)
    command = first.removeprefix("$ actionbox ")
    capfd.readouterr()
    assert status(command) == 1
    found = capfd.readouterr().out
    assert matches(printed, found), found
    action.write_text(BEFORE + "// the same\n")
    assert status(command) == 0
    (tmp_path / "records" / "bad.json").write_text("{}")
    capfd.readouterr()
    assert status(f"{command} --json --report report.json") == 2
    report = json.loads(capfd.readouterr().out)
    assert report == json.loads((tmp_path / "report.json").read_text())
    assert (report["compared"], report["different"], report["bound"]) == (2, 0, 1.0)


def test_bodies_and_rules_are_taken(tmp_path: Path) -> None:
    body, lockout = blocks(PAGE, "json")
    assert CreateShadow.model_validate_json(body).last == 500
    assert len(LockoutList.model_validate_json(lockout).rules) == 3
    (rules,) = blocks(PAGE, "yaml")
    (tmp_path / "rules.yaml").write_text(rules)
    assert [rule.owner for rule in read_rules(tmp_path / "rules.yaml")] == ["ann"]
