"""A tenant brings a folder to a running service with the command line, and the platform invokes it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.client import Accepted, ServiceError
from runner.model.outcome import FlowOutcome
from tests import forked
from tests.e2e.serving import Served, serve
from triggers import get_trigger

GREET = """
const { greeting } = require("actions:words");
exports.onExecutePostLogin = async (event, api) => {
  console.log("hello", event.user.email);
  api.idToken.setCustomClaim("https://x.example/words", greeting(event.secrets.NAME));
};
"""
WORDS = "exports.greeting = (name) => `hello ${name}, ${actions.secrets.SIGN}`;\n"
NOTE = "async def on_execute_post_user_registration(event, api):\n    print('joined', event.user.email)\n"
MANIFEST = """
actions:
  greet: { file: greet.js, trigger: post-login, secrets: [NAME], modules: { words: 1 } }
  note: { file: note.py, trigger: post-user-registration }
modules:
  words: { file: words.js, secrets: [SIGN] }
bindings:
  post-login: [greet]
  post-user-registration: [note]
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data"), "--https") as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "actionbox.yaml": MANIFEST,
        "greet.js": GREET,
        "words.js": WORDS,
        "note.py": NOTE,
        "secrets.json": json.dumps({"NAME": "Maya", "actions:words": {"SIGN": "signed"}}),
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def actionbox(served: Served, *arguments: str, status: int = 0) -> str:
    env = {**os.environ, **served.environment(), "NO_COLOR": "1"}
    done = forked.run(arguments, env)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def login(served: Served) -> FlowOutcome:
    outcome = served.runtime().invoke("post-login", get_trigger("post-login").example_event)
    assert isinstance(outcome, FlowOutcome)
    return outcome


def test_a_folder_is_pushed_changed_rolled_back_and_pulled(served: Served, folder: Path) -> None:
    text = actionbox(served, "push", str(folder), "--secrets", str(folder / "secrets.json"), "--dry-run")
    assert "create module words and publish it" in text
    assert "nothing was sent" in text
    assert served.api().get("/api/v2/actions/actions").value["actions"] == []

    actionbox(served, "push", str(folder), "--secrets", str(folder / "secrets.json"), "--yes")
    assert actionbox(served, "push", str(folder)) == "nothing to change\n"
    first = login(served)
    assert first.failure is None, first.failure
    assert first.effects.id_token_claims == {"https://x.example/words": "hello Maya, signed"}

    (folder / "greet.js").write_text(GREET.replace("hello", "goodbye"))
    text = actionbox(served, "push", str(folder), "--yes")
    assert '+  console.log("goodbye", event.user.email);' in text
    assert login(served).actions[0].logs[0].text.startswith("goodbye")

    assert "as version 3" in actionbox(served, "rollback", "greet", "1", "--update-draft")
    assert login(served).actions[0].logs[0].text.startswith("hello")

    other = folder / "pulled"
    actionbox(served, "pull", str(other))
    assert (other / "greet.js").read_text() == GREET
    assert (other / "note.py").read_text() == NOTE
    assert actionbox(served, "push", str(other)) == "nothing to change\n"


def test_secrets_that_are_there_already_make_no_new_version(served: Served, folder: Path) -> None:
    """And a module that is named as `latest` is the version that the same push publishes."""
    manifest = folder / "actionbox.yaml"
    manifest.write_text(MANIFEST.replace("words: 1", "words: latest").replace("greet:", "greet-again:", 1))
    manifest.write_text(manifest.read_text().replace("[greet]", "[greet-again]"))
    (folder / "words.js").write_text(WORDS.replace("hello", "welcome"))
    push = ["push", str(folder), "--yes", "--secrets", str(folder / "secrets.json")]
    actionbox(served, *push)
    assert login(served).effects.id_token_claims == {"https://x.example/words": "welcome Maya, signed"}
    versions = versions_of(served, "greet-again")

    text = actionbox(served, *push)
    assert "NAME set (nothing changes if it has this value)" in text
    assert "nothing changed\n" in text
    assert versions_of(served, "greet-again") == versions

    (folder / "secrets.json").write_text(json.dumps({"NAME": "Maya", "actions:words": {"SIGN": "sealed"}}))
    assert "2 changes made" in actionbox(served, *push)
    assert login(served).effects.id_token_claims == {"https://x.example/words": "welcome Maya, sealed"}
    assert versions_of(served, "greet-again") == versions + 1


def versions_of(served: Served, name: str) -> int:
    api = served.api()
    (found,) = api.get("/api/v2/actions/actions", actionName=name).value["actions"]
    return len(api.pages(f"/api/v2/actions/actions/{found['id']}/versions", "versions"))


def test_a_dry_run_finds_what_the_push_would_trip_over(served: Served, folder: Path) -> None:
    (folder / "actionbox.yaml").write_text(
        """
actions:
  broken: { file: broken.js, trigger: post-login }
  other: { file: note.py, trigger: post-login }
  held: { file: greet.js, trigger: post-login, deploy: false, modules: { nothing: 1 } }
  packed: { file: good.js, trigger: post-login, dependencies: { BAD NAME: 1.0.0 } }
bindings:
  post-login: [held]
"""
    )
    (folder / "broken.js").write_text("exports.onExecutePostLogin = async (event, api) => {")
    (folder / "good.js").write_text("exports.onExecutePostLogin = async (event, api) => {};")
    before = len(served.api().get("/api/v2/actions/actions").value["actions"])
    text = actionbox(served, "push", str(folder), "--dry-run", "--secret", "NAME=x", status=2)
    for problem in (
        "action packed: ''BAD NAME' is not the name of an npm package'",
        "action held: there is no module 'nothing', here or on the service",
        "bindings.post-login: held is not deployed, and only what is deployed can be bound",
        "Nothing was sent.",
    ):
        assert problem in text, text
    assert actionbox(served, "push", str(folder), "--yes", status=2) == text, "a push stops there as well"

    (folder / "actionbox.yaml").write_text(
        """
actions:
  broken: { file: broken.js, trigger: post-login }
  other: { file: note.py, trigger: post-login }
"""
    )
    text = actionbox(served, "push", str(folder), "--dry-run", status=2)
    assert "action broken does not build: " in text
    assert "(broken.js:1)" in text
    assert "action other: note.py does not export on_execute_post_login" in text
    assert len(served.api().get("/api/v2/actions/actions").value["actions"]) == before


def test_an_asynchronous_trigger_and_its_logs(served: Served, folder: Path) -> None:
    actionbox(served, "push", str(folder), "--secrets", str(folder / "secrets.json"), "--yes")
    seen: list[Any] = []
    ready = threading.Event()

    def follow() -> None:
        for item in served.runtime().logs(action="note"):
            seen.append(item)
            ready.set()
            return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    event = get_trigger("post-user-registration").example_event
    while not ready.wait(1):
        accepted = served.runtime().invoke("post-user-registration", event)
        assert isinstance(accepted, Accepted)
        assert thread.is_alive() or seen
    assert seen[0]["results"][0]["logs"][0]["text"] == "joined maya.okafor@harbor.example"
    assert "joined maya.okafor@harbor.example" in actionbox(served, "logs", "--action", "note")
    assert "post-user-registration" in actionbox(served, "executions", "--trigger", "post-user-registration")


def test_repeated_keys_and_wrong_requests(served: Served) -> None:
    runtime = served.runtime()
    event = get_trigger("post-login").example_event
    first = runtime.invoke("post-login", event, idempotency_key="k1")
    assert runtime.invoke("post-login", event, idempotency_key="k1") == first
    for call, status, code in (
        (lambda: runtime.invoke("post-login", {**event, "user": 1}, idempotency_key="k1"), 422, "reused"),
        (lambda: runtime.invoke("post-login", {}), 400, "invalid_event"),
        (lambda: runtime.invoke("post-logn", event), 404, "unknown_trigger"),
        (lambda: runtime.invoke("post-login", event, action="x"), 400, "invalid_body"),
        (lambda: runtime.resume("abx_nothing", request={}), 404, "unknown_handle"),
        (lambda: runtime.execution("nothing"), 404, "Not Found"),
    ):
        with pytest.raises(ServiceError) as caught:
            call()
        assert caught.value.status == status
        assert code in caught.value.code


def test_wrong_commands_say_what_to_do(served: Served, folder: Path) -> None:
    assert "there is no Action" in actionbox(served, "rollback", "nobody", "1", status=2)
    (folder / "greet.js").write_text("exports.onExecutePostLogin = async (event, api) => {")
    secrets = ["--secrets", str(folder / "secrets.json")]
    assert "does not build" in actionbox(served, "push", str(folder), "--yes", *secrets, status=2)
    with_bad_token = Served(served.process, served.url, served.ca_file, "e.e.e", "", "")
    assert "Sign in again" in actionbox(with_bad_token, "executions", status=2)
    untrusted = Served(served.process, served.url, "", served.token, "", "")
    assert "--ca-file" in actionbox(untrusted, "executions", status=2)
