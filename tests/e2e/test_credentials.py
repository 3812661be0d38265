"""Credentials alone: what a first start and `tenant add` print is enough for every API and command."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.client import Api, Connection, RuntimeClient, ServiceError
from runner.model.outcome import Decision, FlowOutcome
from tests import forked
from tests.e2e.serving import ACTIONBOX, Served, environment, process, serve
from triggers import get_trigger

EVENT = get_trigger("post-login").example_event


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


def operator(data: Path, *arguments: str, status: int = 0) -> str:
    done = forked.run(arguments, environment(data))
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def found(name: str, text: str) -> str:
    match = re.search(rf"^ *{name} +(\S+)$", text, re.MULTILINE)
    assert match is not None, text
    return match[1]


def run_curl(text: str, url: str = "") -> dict[str, object]:
    """The answer to the command line that was printed, run as it stands but for the address."""
    match = re.search(r"^ *(curl .*)$", text, re.MULTILINE)
    assert match is not None, text
    command = shlex.split(match[1])
    if url:
        command[-1] = url + command[-1][command[-1].index("/runtime/") :]
    done = subprocess.run([*command, "-sS", "--fail-with-body"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    value: dict[str, object] = json.loads(done.stdout)
    return value


def test_the_clients_of_both_apis(served: Served) -> None:
    platform = RuntimeClient(served.url, client_id=served.client_id, client_secret=served.client_secret)
    outcome = platform.invoke("post-login", EVENT)
    assert isinstance(outcome, FlowOutcome)
    assert platform.execution(outcome.execution_id)["decision"] == "allow"
    assert platform.executions(trigger="post-login")
    api = served.api()
    assert api.token("/api/v2") != api.token("/runtime/v1")
    assert api.get("/api/v2/actions/triggers").status == 200
    assert api.get("/runtime/v1/executions").status == 200


def test_every_command_of_a_tenant(served: Served, tmp_path: Path) -> None:
    signed = {
        **environment(tmp_path),
        "ACTIONBOX_PROFILES": str(tmp_path),
        "NO_COLOR": "1",
    }

    def run(*arguments: str) -> str:
        done = forked.run(arguments, signed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("login", served.url, "--client-id", served.client_id, "--client-secret", served.client_secret)
    outcome = served.runtime().invoke("post-login", EVENT)
    assert isinstance(outcome, FlowOutcome)
    assert outcome.execution_id in run("executions", "--trigger", "post-login")
    assert outcome.execution_id in run("logs")
    with process([ACTIONBOX, "logs", "--follow", "--json"], signed) as (follower, lines):
        deadline = time.monotonic() + 60
        while lines.empty():
            assert time.monotonic() < deadline
            assert follower.poll() is None, "it went on"
            served.runtime().invoke("post-login", EVENT)
            time.sleep(0.2)
        assert json.loads(lines.get())["trigger_id"] == "post-login"


def test_a_client_for_one_api_can_log_in(served: Served, tmp_path: Path) -> None:
    for scope in ("invoke:triggers", "read:actions"):
        made = operator(served.data, "client", "add", "main", "--scope", scope)
        options = ["--client-id", found("client id", made), "--client-secret", found("client secret", made)]
        env = {**environment(tmp_path), "ACTIONBOX_PROFILES": str(tmp_path)}
        done = forked.run(["login", served.url, *options], env)
        assert done.returncode == 0, done.stderr
        options[3] = "wrong"
        done = forked.run(["login", served.url, *options], env)
        assert done.returncode == 2
        assert "401" in done.stderr


def test_what_a_first_start_prints_works_as_it_stands(served: Served) -> None:
    assert len(served.token) < 700
    assert run_curl(served.output)["decision"] == "allow"


def test_tenant_add_prints_the_same(served: Served) -> None:
    made = operator(served.data, "tenant", "add", "north-quay")
    labels = ("tenant", "client id", "client secret", "token")
    assert all(found(label, made) and found(label, served.output) for label in labels)
    assert run_curl(made, served.url)["decision"] == "allow"
    platform = RuntimeClient(
        served.url, client_id=found("client id", made), client_secret=found("client secret", made)
    )
    outcome = platform.invoke("post-login", EVENT)
    assert isinstance(outcome, FlowOutcome)
    assert outcome.decision is Decision.ALLOW
    assert platform.executions()[0]["id"] == outcome.execution_id
    other = served.runtime()
    assert outcome.execution_id not in [item["id"] for item in other.executions()], "it is another tenant"


def test_credentials_are_shown_again(served: Served) -> None:
    again = operator(served.data, "tenant", "credentials", "main")
    assert found("client id", again) == served.client_id
    assert found("client secret", again) == served.client_secret
    assert run_curl(again, served.url)["decision"] == "allow"
    operator(served.data, "keys", "rotate")
    again = operator(served.data, "tenant", "credentials", "main")
    assert found("client secret", again) == served.client_secret, "the key that it was made from is there"
    assert run_curl(again, served.url)["decision"] == "allow"
    assert "there is no tenant nobody" in operator(served.data, "tenant", "credentials", "nobody", status=2)
    operator(served.data, "tenant", "add", "brief")
    client = found("client id", operator(served.data, "tenant", "credentials", "brief"))
    operator(served.data, "client", "revoke", client)
    said = operator(served.data, "tenant", "credentials", "brief", status=2)
    assert "cannot be shown again" in said
    assert "client add brief" in said


@pytest.mark.parametrize("with_option", [False, True])
def test_a_first_start_that_nobody_saw(tmp_path: Path, with_option: bool) -> None:
    """It is killed as soon as it has answered; the next start names the command, which works as printed."""
    data = tmp_path / "da ta"
    env = environment(data, ACTIONBOX_LOG_LEVEL="error")
    command = [ACTIONBOX, "serve", "--port", "0"]
    if with_option:
        del env["ACTIONBOX_DATA_DIR"]
        command += ["--data", str(data)]
    with process(command, env) as (started, lines):
        while "First start" not in lines.get(timeout=90):
            pass
        os.kill(started.pid, signal.SIGKILL)
        started.wait(10)
    with process(command, env) as (started, lines):
        text = ""
        while "Tokens:" not in text:
            text += lines.get(timeout=90)
    named = re.search(r"`(actionbox tenant credentials.*?)`", text)
    assert named is not None, text
    words = shlex.split(named[1].replace("TENANT", "main"))
    shown = forked.run(words[1:], env)
    assert shown.returncode == 0, shown.stderr
    with process(command, env) as (started, lines):
        text = ""
        while "Tokens:" not in text:
            text += lines.get(timeout=90)
        url = re.search(r"actionbox serves (\S+)", text)
        assert url is not None
        assert run_curl(shown.stdout, url[1])["decision"] == "allow"


THREE_WAYS = """
exports.onExecutePostLogin = async (event, api) => {
  if (event.user.email === "denied@x.example") return api.access.deny("not you");
  if (event.user.email === "broken@x.example") throw new Error("broke");
  if (event.user.email === "asked@x.example") return api.redirect.sendUserTo("https://x.example/");
  console.log("hello", event.user.email);
};
"""
ENDS = {"allowed": (0, "allow"), "denied": (1, "deny"), "broken": (2, "failed"), "asked": (3, "suspended")}


@pytest.mark.parametrize("name", ENDS)
def test_invoke_prints_and_ends_as_run_does(served: Served, tmp_path: Path, name: str) -> None:
    (tmp_path / "action.js").write_text(THREE_WAYS)
    event = {**EVENT, "user": {**EVENT["user"], "email": f"{name}@x.example"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    made = operator(served.data, "tenant", "add", f"invoke-{name}")
    identity: dict[str, Any] = {
        "client_id": found("client id", made),
        "client_secret": found("client secret", made),
    }
    deploy(Api(Connection(served.url, **identity)))
    env = {**environment(tmp_path), "ACTIONBOX_PROFILES": str(tmp_path), "ACTIONBOX_STATE": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forked.run(arguments, env, cwd=tmp_path)

    by_secret = ["--client-id", identity["client_id"], "--client-secret", identity["client_secret"]]
    assert run("login", served.url, *by_secret).returncode == 0
    there = run("invoke", "post-login", "--event", "event.json")
    here = run("run", "action.js", "--trigger", "post-login", "--event", "event.json")
    assert (there.returncode, here.returncode) == (ENDS[name][0],) * 2, there.stderr
    assert [first_words(text) for text in there.stdout.splitlines()[:4]] == [
        first_words(text) for text in here.stdout.splitlines()[:4]
    ]
    as_json = run("invoke", "post-login", "--event", "event.json", "--json")
    assert (as_json.returncode, json.loads(as_json.stdout)["decision"]) == ENDS[name]


def first_words(text: str) -> list[str]:
    """Without times and the name of the Action, which is a file's on the command line."""
    return [word for word in text.replace("action.js", "action").split() if word.isalpha()][:4]


def deploy(api: Api) -> None:
    trigger = {"id": "post-login", "version": "v3"}
    body = {"name": "action", "code": THREE_WAYS, "supported_triggers": [trigger]}
    action = api.send("POST", "/api/v2/actions/actions", body=body).value
    api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_name", "value": "action"}, "display_name": "action"}]
    api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})


def test_invoke_refuses_as_the_service_does(served: Served, tmp_path: Path) -> None:
    env = {**environment(tmp_path), **served.environment()}
    part = tmp_path / "part.json"
    part.write_text('{"user": {}}')

    def invoke(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forked.run(["invoke", *arguments], env)

    for arguments, says in (
        (["post-login", "--event", str(part)], "event"),
        (["post-logn", "--event", str(part)], "post-login"),
        (["post-login", "--event", str(tmp_path / "none.json")], "none.json"),
    ):
        done = invoke(*arguments)
        assert done.returncode == 2, done
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    nothing_bound = invoke("post-login")
    assert nothing_bound.returncode == 0, nothing_bound.stderr
    accepted = invoke("post-user-registration")
    assert accepted.returncode == 0, accepted.stderr
    assert accepted.stdout.startswith("accepted: runs later as execution ")


def test_operators_list_and_remove(served: Served) -> None:
    made = operator(served.data, "tenant", "add", "leaving", "--name", "Leaving soon")
    identity: dict[str, Any] = {
        "client_id": found("client id", made),
        "client_secret": found("client secret", made),
    }
    platform = RuntimeClient(served.url, **identity)
    platform.invoke("post-login", EVENT)
    assert re.search(r"^leaving +Leaving soon ", operator(served.data, "tenant", "list"), re.MULTILINE)
    listed = json.loads(operator(served.data, "client", "list", "leaving", "--json"))
    assert [(item["id"], item["state"]) for item in listed] == [(identity["client_id"], "active")]
    assert identity["client_secret"] not in operator(served.data, "client", "list")
    assert "Use --yes" in operator(served.data, "tenant", "remove", "leaving", status=2)
    assert operator(served.data, "tenant", "remove", "leaving", "--yes") == "removed leaving\n"
    assert "leaving" not in operator(served.data, "tenant", "list")
    said = operator(served.data, "tenant", "remove", "leaving", "--yes", status=2)
    assert "there is no tenant leaving" in said
    time.sleep(6)  # a client that is gone is noticed within five seconds
    with pytest.raises(ServiceError) as caught:
        platform.executions()
    assert caught.value.status == 401
    assert isinstance(served.runtime().invoke("post-login", EVENT), FlowOutcome), "others are as they were"


def test_a_sentence_each(served: Served, tmp_path: Path) -> None:
    said = operator(served.data, "keys", "create", status=2)
    assert "already" in said
    assert "keys rotate" in said
    env = environment(tmp_path, ACTIONBOX_WROKERS="2", ACTIONBOX_SERVICE_HOST="10.0.0.1")
    done = forked.run(["config"], env)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "warning: the environment variable ACTIONBOX_WROKERS is no setting of actionbox and is ignored; "
        "did you mean ACTIONBOX_WORKERS?"
    ]
