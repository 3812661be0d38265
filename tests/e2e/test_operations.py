"""What docs/operations.md promises: backup and restore, health, metrics."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from pathlib import Path

import urllib3

from runner.model.outcome import FlowOutcome
from tests.e2e.serving import serve
from tests.sandbox.packages.npm.tarballs import Shelf
from triggers import get_trigger

CODE = """
exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/key", event.secrets.KEY);
};
"""


def test_a_backup_of_a_running_service_is_restored(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    event = get_trigger("post-login").example_event
    with serve(data) as first:
        api = first.api()
        body = {
            "name": "key",
            "code": CODE,
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
            "secrets": [{"name": "KEY", "value": "sealed value"}],
        }
        action = api.send("POST", "/api/v2/actions/actions", body=body).value
        api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
        bindings = [{"ref": {"type": "action_name", "value": "key"}, "display_name": "key"}]
        api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
        other.mkdir(mode=0o700)
        with (
            sqlite3.connect(data / "actionbox.db") as source,
            sqlite3.connect(other / "actionbox.db") as copy,
        ):
            source.backup(copy)
        source.close()
        copy.close()
        shutil.copy2(data / "keys.json", other / "keys.json")
    assert b"sealed value" not in (other / "actionbox.db").read_bytes()
    with serve(other, known=first) as second:
        outcome = second.runtime().invoke("post-login", event)
        assert isinstance(outcome, FlowOutcome)
        assert outcome.effects.id_token_claims == {"https://x.example/key": "sealed value"}


def test_health_and_metrics_of_a_running_service(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serve(tmp_path, ACTIONBOX_METRICS_PORT=str(port)) as served:
        http = urllib3.PoolManager()
        for path in ("/health", "/ready"):
            assert http.request("GET", served.url + path).json() == {"status": "ok"}
        served.runtime().invoke("post-login", get_trigger("post-login").example_event)
        text = http.request("GET", f"http://127.0.0.1:{port}/metrics").data.decode()
    assert 'actionbox_executions_total{decision="allow",trigger="post-login"} 1.0' in text
    assert "actionbox_pool_healthy 1.0" in text
    assert "main" not in text


def test_packages_come_from_where_the_settings_file_says(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf").add("maths", code="exports.add = (a, b) => a + b;")
    file = tmp_path / "actionbox.toml"
    file.write_text(f'npm_packages = "{shelf.folder}"\n')
    with serve(tmp_path / "data", ACTIONBOX_CONFIG=str(file)) as served:
        api = served.api()
        body = {
            "name": "sum",
            "code": "require('maths'); exports.onExecutePostLogin = async () => {};",
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
            "dependencies": [{"name": "maths", "version": "latest"}],
        }
        action = api.send("POST", "/api/v2/actions/actions", body=body).value
        version = api.send(
            "POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True}
        ).value
    assert version["dependencies"] == [{"name": "maths", "version": "1.0.0"}]
