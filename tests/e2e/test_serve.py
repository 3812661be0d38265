"""`actionbox serve` as a process: first start, restart, kill -9, stop, keys (threat-model F1, F2)."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.e2e.servedprocess import Served, serving, start
from tests.service.server import HANDLER, Client

LATE = """exports.onExecutePostLogin = async (event, api) => {
  await new Promise((done) => setTimeout(done, 1500));
  api.idToken.setCustomClaim("late", true);
};
"""


def client_of(served: Served, token: str = "") -> Client:
    return Client(served.url.replace("localhost", "127.0.0.1"), "main", token or served.token)


def actionbox(folder: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("actionbox")), *arguments]
    environment = {**os.environ, "ACTIONBOX_DATA_DIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_first_try(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        curl = re.search(r"^  curl (.*)$", served.output, re.MULTILINE)
        assert curl is not None
        assert curl[1] == f"-H 'Authorization: Bearer {served.token}' {served.url}/api/v2/actions/triggers"
        client = client_of(served)
        assert len(client.get("/triggers")["triggers"]) > 10
        nobody = Client(client.url, "", "")
        assert nobody.call("GET", "//health").json == {"status": "ok"}
        assert nobody.call("GET", "//ready").status == 200
        for name in ("keys.json", "actionbox.db"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0 or name == "actionbox.db"
        secret_texts = (served.token, served.client_secret)
        assert not any(text in line for text in secret_texts for line in served.errors)
        served.stop()
    with serving(tmp_path) as again:
        assert again.token == ""
        assert client_of(again, served.token).call("GET", "/triggers").status == 200
        again.stop()
        requests = [json.loads(line) for line in again.errors if '"request"' in line]
        assert requests[-1]["path"] == "/api/v2/actions/triggers"
        assert {"request_id", "status", "ms", "tenant"} <= set(requests[-1])


def test_https_with_a_certificate_of_our_own_making(tmp_path: Path) -> None:
    with serving(tmp_path, "--https") as served:
        assert served.url.startswith("https://localhost:")
        context = ssl.create_default_context(cafile=served.ca)
        with urllib3.PoolManager(ssl_context=context) as pool:
            answer = pool.request("GET", f"{served.url}/health")
            assert answer.status == 200
        with urllib3.PoolManager() as distrustful, pytest.raises(urllib3.exceptions.MaxRetryError):
            distrustful.request("GET", f"{served.url}/health", retries=0)
        key = tmp_path / "tls" / "server.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        given = ("--cert", str(tmp_path / "tls" / "server.pem"), "--key", str(key))
    with serving(tmp_path, *given) as served, urllib3.PoolManager(ssl_context=context) as pool:
        assert pool.request("GET", f"{served.url}/health").status == 200


def test_what_runs_is_finished_at_a_stop(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        client = client_of(served)
        action = client.create(code=LATE)
        answers: list[Any] = []
        path = f"/actions/{action['id']}/test"
        caller = threading.Thread(target=lambda: answers.append(client.call("POST", path, {"payload": {}})))
        caller.start()
        time.sleep(0.5)
        served.stop()
        caller.join(10)
        assert answers[0].status == 200
        assert "late" in str(answers[0].json)


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Deploys and bindings under load, killed at different moments: every acknowledged write is there, and
    the database is whole."""
    token, deployed, bound, names = "", {}, [], []
    for round_number, moment in enumerate((0.1, 0.3)):
        served = start(tmp_path)
        token = token or served.token
        client = client_of(served, token)
        seen = {item["id"]: item for item in client.get("/actions", per_page=100)["actions"]}
        for action_id, number in deployed.items():
            assert seen[action_id]["deployed_version"]["number"] >= number
        assert set(names) <= {item["name"] for item in seen.values()}
        listed = [item["id"] for item in client.get("/triggers/post-login/bindings")["bindings"]]
        assert listed == bound or set(bound) <= set(listed) or not bound

        action = client.deployed(f"first of round {round_number}")
        deployed[action["id"]] = 1
        killer = threading.Timer(moment, served.kill)
        killer.start()
        try:
            for count in range(1000):
                name = f"round {round_number}, {count}"
                client.create(name, built=False)
                names.append(name)
                reply = client.call("POST", f"/actions/{action['id']}/deploy")
                assert reply.status == 200
                deployed[action["id"]] = reply.json["number"]
                bound = [item["id"] for item in client.bind({"id": action["id"]})]
        except urllib3.exceptions.HTTPError:
            pass
        killer.join()
        served.close()
    with sqlite3.connect(tmp_path / "actionbox.db") as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
    database.close()
    with serving(tmp_path) as served:
        client = client_of(served, token)
        seen = {item["id"]: item for item in client.get("/actions", per_page=100)["actions"]}
        assert set(names) <= {item["name"] for item in seen.values()}
        for action_id, number in deployed.items():
            assert seen[action_id]["deployed_version"]["number"] in (number, number + 1)
        for action in seen.values():
            assert client.settled(action["id"])["status"] == "built", "builds go on after a restart"


def test_keys_are_rotated_under_a_running_service(tmp_path: Path) -> None:
    code = "exports.onExecutePostLogin = async (e, api) => { api.idToken.setCustomClaim('k', e.secrets.K); };"
    with serving(tmp_path) as served:
        client = client_of(served)
        action = client.create(code=code, secrets=[{"name": "K", "value": "the value"}])
        before = (tmp_path / "keys.json").read_text()
        said = actionbox(tmp_path, "keys", "rotate")
        assert said == "sealed 1 secrets with key k2; the ring holds k2, k1\n"
        assert list(json.loads((tmp_path / "keys.json").read_text())["keys"]) == ["k2", "k1"]
        ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
        assert "the value" in str(ran.json["payload"]["effects"])
        assert client.call("GET", "/triggers").status == 200, "tokens of the old key still hold"
        assert "sealed 1 secrets with key k3" in actionbox(tmp_path, "keys", "rotate", "--prune")
        ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
        assert ran.status in (200, 401)
    raw = (tmp_path / "actionbox.db").read_bytes()
    assert b"the value" not in raw
    (tmp_path / "keys.json").write_text(before)
    with sqlite3.connect(tmp_path / "actionbox.db") as database:
        assert database.execute("select distinct key_id from secrets").fetchall() == [("k3",)]
    database.close()


def test_without_its_key_ring_nothing_starts(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        client_of(served).create(built=False)
    (tmp_path / "keys.json").unlink()
    command = [str(Path(sys.executable).with_name("actionbox")), "serve", "--port", "0"]
    environment = {**os.environ, "ACTIONBOX_DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there is no key ring" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "keys.json").exists()


def test_tenants_and_clients(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        added = actionbox(tmp_path, "tenant", "add", "north-quay")
        assert re.search(r"^tenant +north-quay$", added, re.MULTILINE)
        one = actionbox(tmp_path, "client", "add", "north-quay", "--scope", "read:actions")
        client_id = re.search(r"^client id +(\S+)$", one, re.MULTILINE)
        secret = re.search(r"^client secret +(\S+)$", one, re.MULTILINE)
        assert client_id is not None
        assert secret is not None
        fields = {"grant_type": "client_credentials", "client_id": client_id[1], "client_secret": secret[1]}
        nobody = client_of(served, "x")
        token = nobody.call("POST", "//oauth/token", fields, headers={"Authorization": ""}).json
        assert token["scope"] == "read:actions"
        reader = client_of(served, token["access_token"])
        assert reader.get("/actions") == {"actions": [], "per_page": 20}
        assert reader.call("POST", "/actions", {"name": "x", "code": HANDLER}).status == 403
        actionbox(tmp_path, "client", "revoke", client_id[1])
        assert nobody.call("POST", "//oauth/token", fields, headers={"Authorization": ""}).status == 401


def test_config_is_shown_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hidden-word@db.example/x")
    shown = actionbox(tmp_path, "config")
    assert "hidden-word" not in shown
    assert json.loads(shown)["database_url"] == "postgresql://u:***@db.example/x"
