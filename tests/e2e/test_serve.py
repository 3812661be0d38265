"""`actionbox serve` as a process: first start, restart, kill -9, stop, keys (threat-model F1, F2)."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import sqlite3
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests import forked
from tests.e2e.serving import ACTIONBOX, Served, environment, serve
from tests.serving.server import HANDLER, Client, Reply

LATE = """exports.onExecutePostLogin = async (event, api) => {
  await new Promise((done) => setTimeout(done, 1500));
  api.idToken.setCustomClaim("late", true);
};
"""


def client_of(served: Served, token: str = "") -> Client:
    return Client(served.url.replace("localhost", "127.0.0.1"), "main", token or served.token)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run(arguments, {**os.environ, "ACTIONBOX_DATA_DIR": str(folder)})


def actionbox(folder: Path, *arguments: str) -> str:
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_first_try(tmp_path: Path) -> None:
    info: dict[str, Any] = {"ACTIONBOX_LOG_LEVEL": "info"}
    with serve(tmp_path, afresh=True, **info) as served:
        curl = re.search(r"^  curl (.*)$", served.output, re.MULTILINE)
        assert curl is not None
        assert curl[1].startswith(f"-H 'Authorization: Bearer {served.token}' ")
        client = client_of(served)
        assert len(client.get("/triggers")["triggers"]) > 10
        nobody = Client(client.url, "", "")
        assert nobody.call("GET", "//health").json == {"status": "ok"}
        assert nobody.call("GET", "//ready").status == 200
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
        action = client.create(code=LATE)
        answers: list[Reply] = []
        path = f"/actions/{action['id']}/test"
        caller = threading.Thread(target=lambda: answers.append(client.call("POST", path, {"payload": {}})))
        caller.start()
        time.sleep(0.5)
    caller.join(10)
    assert answers[0].status == 200, "what ran at the stop was finished"
    assert "late" in str(answers[0].json)
    requests = [line for line in served.log if line["event"] == "request"]
    assert requests[0]["path"] == "/api/v2/actions/triggers"
    assert {"request_id", "status", "ms", "tenant"} <= set(requests[0])
    assert not any(text in str(served.log) for text in (served.token, served.client_secret))
    with serve(tmp_path, known=served) as again:
        assert "First start" not in again.output
        assert client_of(again).call("GET", "/triggers").status == 200


def test_https_with_a_certificate_of_our_own_making(tmp_path: Path) -> None:
    with serve(tmp_path, "--https") as served:
        assert served.url.startswith("https://localhost:")
        context = ssl.create_default_context(cafile=served.ca_file)
        with urllib3.PoolManager(ssl_context=context) as pool:
            assert pool.request("GET", f"{served.url}/health").status == 200
        with urllib3.PoolManager() as distrustful, pytest.raises(urllib3.exceptions.MaxRetryError):
            distrustful.request("GET", f"{served.url}/health", retries=0)
        assert stat.S_IMODE((tmp_path / "tls" / "server.key").stat().st_mode) == 0o600


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Deploys and bindings under load, killed at different moments: every acknowledged write is there, and
    the database is whole."""
    known: Served | None = None
    deployed: dict[str, int] = {}
    names: set[str] = set()
    bound: list[str] = []
    for round_number, moment in enumerate((0.3, 0.6)):
        with serve(tmp_path, known=known, ACTIONBOX_RATE_BURST="100000") as known:
            client = client_of(known)
            check(client, deployed, names)
            action = client.deployed(f"first of round {round_number}")
            deployed[action["id"]] = 1
            killer = threading.Timer(moment, known.kill)
            killer.start()
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                for count in range(1000):
                    name = f"round {round_number}, {count}"
                    client.create(name, built=False)
                    names.add(name)
                    reply = client.call("POST", f"/actions/{action['id']}/deploy")
                    assert reply.status == 200
                    deployed[action["id"]] = reply.json["number"]
                    bound = [item["action"]["id"] for item in client.bind({"id": action["id"]})]
            killer.join()
    with contextlib.closing(sqlite3.connect(tmp_path / "actionbox.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    with serve(tmp_path, known=known) as known:
        client = client_of(known)
        seen = check(client, deployed, names)
        listed = [item["action"]["id"] for item in client.get("/triggers/post-login/bindings")["bindings"]]
        assert listed == bound or (listed and listed[0] in deployed), (
            "the last acknowledged, or the one after"
        )
        for action in seen.values():
            assert client.settled(action["id"])["status"] == "built", "builds go on after a restart"


def check(client: Client, deployed: dict[str, int], names: set[str]) -> dict[str, Any]:
    """Every acknowledged write is there; at most the one that was on its way is there beside them."""
    seen = {item["id"]: item for item in client.get("/actions", per_page=100)["actions"]}
    assert names <= {item["name"] for item in seen.values()}
    for action_id, number in deployed.items():
        assert seen[action_id]["deployed_version"]["number"] in (number, number + 1)
    return seen


def test_tenants_and_clients(shared: Served) -> None:
    added = actionbox(shared.data, "tenant", "add", "north-quay")
    assert re.search(r"^tenant +north-quay$", added, re.MULTILINE)
    one = actionbox(shared.data, "client", "add", "north-quay", "--scope", "read:actions")
    client_id = re.search(r"^client id +(\S+)$", one, re.MULTILINE)
    secret = re.search(r"^client secret +(\S+)$", one, re.MULTILINE)
    assert client_id is not None
    assert secret is not None
    fields = {"grant_type": "client_credentials", "client_id": client_id[1], "client_secret": secret[1]}
    nobody = client_of(shared, "x")
    token = nobody.call("POST", "//oauth/token", fields, headers={"Authorization": ""}).json
    assert token["scope"] == "read:actions"
    reader = client_of(shared, token["access_token"])
    assert reader.get("/actions") == {"actions": [], "per_page": 20}
    assert reader.call("POST", "/actions", {"name": "x", "code": HANDLER}).status == 403
    actionbox(shared.data, "client", "revoke", client_id[1])
    assert nobody.call("POST", "//oauth/token", fields, headers={"Authorization": ""}).status == 401


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for what needs no start of its own."""
    with serve(tmp_path_factory.mktemp("shared")) as served:
        yield served


def test_keys_are_rotated_under_a_running_service(shared: Served) -> None:
    code = "exports.onExecutePostLogin = async (e, api) => { api.idToken.setCustomClaim('k', e.secrets.K); };"
    client = client_of(shared)
    action = client.create(code=code, secrets=[{"name": "K", "value": "the value"}])
    said = actionbox(shared.data, "keys", "rotate")
    assert said == "sealed 1 secrets with key k2; the ring holds k2, k1\n"
    assert list(json.loads((shared.data / "keys.json").read_text())["keys"]) == ["k2", "k1"]
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
    assert "the value" in str(ran.json["payload"]["effects"])
    assert client.call("GET", "/triggers").status == 200, "tokens of the old key still hold"
    raw = b"".join(path.read_bytes() for path in shared.data.glob("actionbox.db*"))
    assert b"the value" not in raw
    with contextlib.closing(sqlite3.connect(shared.data / "actionbox.db")) as database:
        assert database.execute("select distinct key_id from secrets").fetchall() == [("k2",)]
    said = actionbox(shared.data, "keys", "rotate", "--prune")
    assert said == "sealed 1 secrets with key k3; the ring holds k3\n"


def test_without_its_key_ring_nothing_starts(tmp_path: Path) -> None:
    actionbox(tmp_path, "tenant", "add", "north-quay")
    (tmp_path / "keys.json").unlink()
    done = run(tmp_path, "serve", "--port", "0")
    assert done.returncode == 2
    assert "there is no key ring" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "keys.json").exists()


def test_config_is_shown_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden-word@db.example/x")
    shown = actionbox(tmp_path, "config")
    assert "hidden-word" not in shown
    assert json.loads(shown)["database_url"] == "postgresql://u:***@db.example/x"


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_why_workers_cannot_start_is_told_in_a_sentence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTIONBOX_CACHE", "/proc/actionbox")  # where nobody can write
    done = run(tmp_path, *command)
    assert done.returncode == 2
    told = "A worker process cannot be started: [Errno 2] No such file or directory: '/proc/actionbox'"
    assert done.stderr.endswith(f"error: {told}\n")
    assert "Traceback" not in done.stdout + done.stderr
    assert "First start" not in done.stdout
    monkeypatch.delenv("ACTIONBOX_CACHE")
    if command[0] == "serve":
        with serve(tmp_path) as served:
            assert served.token, "the start that failed has kept no secret to itself"


def test_a_terminal_gets_lines_for_people(tmp_path: Path) -> None:
    """And whatever is not one gets JSON."""
    env = environment(tmp_path, ACTIONBOX_LOG_LEVEL="info")
    here, there = pty.openpty()
    command = [ACTIONBOX, "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=env, stdin=there, stdout=there, stderr=there, close_fds=True
    ) as process:
        os.close(there)
        seen = b""
        while b"/invoke" not in seen:
            seen += os.read(here, 65_536)
        process.terminate()
        with contextlib.suppress(OSError):  # the other end is closed
            while more := os.read(here, 65_536):
                seen += more
    os.close(here)
    text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())
    assert re.search(r"^\d\d:\d\d:\d\d \[info +\] Application startup complete", text, re.MULTILINE)
    assert '{"event": "Application' not in text
    assert "Traceback" not in text
