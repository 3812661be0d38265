"""Secrets of shared modules: through suspensions, records and replays, and never on show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import Action, Decision, InputError, MemoryStore, ResumeError, Runner
from runner.cli.inputs import gather_secrets
from runner.model.outcome import FlowOutcome
from runner.project.action_files import load_action
from runner.replay.record import Recorder, write_record
from runner.replay.recorded import read_recorded
from runner.replay.replay import replay
from runner.testing.box import ActionBox
from triggers import get_trigger

SECRET = "greeter-key-0001"
WORDS = {"actions:greeter": {"KEY": SECRET}}
JAVASCRIPT = """
const greeter = require("actions:greeter");
exports.onExecutePostLogin = async (event, api) => {
  console.log("asks", greeter.key());
  api.redirect.sendUserTo("https://site.example/ask");
};
exports.onContinuePostLogin = async (event, api) => {
  console.log("continues", greeter.key());
  api.idToken.setCustomClaim("size", greeter.key().length);
};
"""
PYTHON = """
from actions import greeter
def on_execute_post_login(event, api):
    print("asks", greeter.key())
    api.redirect.send_user_to("https://site.example/ask")
def on_continue_post_login(event, api):
    print("continues", greeter.key())
    api.id_token.set_custom_claim("size", len(greeter.key()))
"""
FILES = {
    "py": {
        "action.py": PYTHON,
        "greeter.py": "def key():\n    return actions.secrets.KEY",
        "pyproject.toml": '[tool.actionbox.modules]\ngreeter = "greeter.py"',
    },
    "js": {
        "action.js": JAVASCRIPT,
        "greeter.js": "exports.key = () => actions.secrets.KEY;",
        "package.json": json.dumps({"actionbox": {"modules": {"greeter": "greeter.js"}}}),
    },
}


@pytest.fixture(params=sorted(FILES))
def action(request: pytest.FixtureRequest, tmp_path: Path) -> Action:
    files = FILES[request.param]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return load_action(tmp_path / next(iter(files)), secrets=WORDS)


@pytest.fixture
def event() -> dict[str, Any]:
    return get_trigger("post-login").example_event


def logs(outcome: FlowOutcome) -> list[str]:
    return [line.text for record in outcome.actions for line in record.logs]


def back(outcome: FlowOutcome) -> dict[str, Any]:
    assert outcome.suspension is not None, outcome.failure
    request = get_trigger("post-login").example_event["request"]
    return {
        "handle": outcome.suspension.handle,
        "request": {**request, "query": {"state": outcome.suspension.state}},
    }


class _Seen(MemoryStore):
    texts: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.texts = []

    def put(self, key: str, text: str, expires_at: float) -> None:
        self.texts.append(text)
        super().put(key, text, expires_at)


def test_a_resumed_flow_gets_them_again(action: Action, event: dict[str, Any]) -> None:
    store = _Seen()
    runner = Runner(store=store)
    for secrets in ([action], WORDS, lambda pinned: WORDS):
        asked = runner.run("post-login", event, [action])
        assert logs(asked) == ["asks [secret actions:greeter.KEY]"]
        done = runner.resume(**back(asked), secrets=secrets)
        assert done.decision is Decision.ALLOW, done.failure
        assert done.effects.id_token_claims == {"size": len(SECRET)}
        assert logs(done) == ["continues [secret actions:greeter.KEY]"]
    assert all(SECRET not in text and '"KEY"' in text for text in store.texts)


def test_a_resume_without_them_names_them(action: Action, event: dict[str, Any]) -> None:
    runner = Runner()
    asked = runner.run("post-login", event, [action])
    for secrets in (None, {"KEY": SECRET}, {"actions:greeter": {"OTHER": SECRET}}):
        with pytest.raises(ResumeError, match=r"actions:greeter\.KEY") as caught:
            runner.resume(**back(asked), secrets=secrets)
        assert caught.value.code == "missing_secrets"
    assert runner.resume(**back(asked), secrets=WORDS).ok


@pytest.mark.parametrize("keep", [False, True])
def test_a_replay_is_exact(action: Action, event: dict[str, Any], tmp_path: Path, keep: bool) -> None:
    recorder = Recorder(keep_secrets=keep)
    runner = replace(Runner(), observer=recorder)
    asked = runner.run("post-login", event, [action])
    runner.resume(**back(asked), secrets=WORDS)
    outcome = runner.run("post-login", event, [action])
    write_record(tmp_path / "flow.json", recorder.record(outcome))
    assert (SECRET in (tmp_path / "flow.json").read_text()) is keep
    record = read_recorded(tmp_path / "flow.json").legs[0]
    again = replay(record, None if keep else lambda pinned: WORDS)
    assert again.same, (again.divergences, again.differences)
    assert again.host_calls > 0
    assert logs(again.outcome) == logs(outcome)
    if not keep:
        with pytest.raises(InputError, match=r"actions:greeter\.KEY"):
            replay(record)
        with pytest.raises(InputError, match=r"secret actions:greeter\.KEY of Action"):
            replay(record, lambda pinned: {"actions:greeter": {"KEY": "another-value"}})
        assert replay(record, without_secrets=True).same


def test_the_testing_box_takes_them(action: Action) -> None:
    box = ActionBox()
    bare = replace(action, module_secrets={"greeter": {}})
    asked = box.run(bare, trigger="post-login", secrets=WORDS)
    done = box.resume(asked)
    assert done.effects.id_token_claims == {"size": len(SECRET)}


def test_the_command_line_takes_them_one_by_one(action: Action) -> None:
    given = gather_secrets([f"actions:greeter.KEY={SECRET}", "OTHER=x"], None)
    assert given.of("action") == {"OTHER": "x"}
    assert given.by_action == {"actions:greeter": {"KEY": SECRET}}
