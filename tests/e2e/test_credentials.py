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

import pytest

from runner.client import RuntimeClient
from runner.outcome import Decision, FlowOutcome
from tests.e2e.serving import ACTIONBOX, Served, environment, process, serve
from triggers import get_trigger

EVENT = get_trigger("post-login").example_event


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("data")) as found:
        yield found


def operator(data: Path, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [ACTIONBOX, *arguments], env=environment(data), capture_output=True, text=True, timeout=60
    )
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
        done = subprocess.run([ACTIONBOX, *arguments], env=signed, capture_output=True, text=True, timeout=60)
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
        done = subprocess.run([ACTIONBOX, "login", served.url, *options], env=env, capture_output=True)
        assert done.returncode == 0, done.stderr
        options[3] = "wrong"
        done = subprocess.run([ACTIONBOX, "login", served.url, *options], env=env, capture_output=True)
        assert done.returncode == 2
        assert b"401" in done.stderr


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
    shown = subprocess.run([ACTIONBOX, *words[1:]], env=env, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    with process(command, env) as (started, lines):
        text = ""
        while "Tokens:" not in text:
            text += lines.get(timeout=90)
        url = re.search(r"actionbox serves (\S+)", text)
        assert url is not None
        assert run_curl(shown.stdout, url[1])["decision"] == "allow"
