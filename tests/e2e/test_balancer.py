"""`deploy/nginx.conf` before two replicas on one PostgreSQL, in a real nginx."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import pytest
import urllib3

from runner.client import Api, Connection, RuntimeClient
from runner.model.outcome import FlowOutcome
from runner.store import KeyRing
from tests.e2e.balancing import NGINX, balancer, used
from tests.e2e.serving import serve
from tests.postgres import new_database
from triggers import get_trigger

EVENT = get_trigger("post-login").example_event
CODE = "exports.onExecutePostLogin = async (event, api) => { console.log('seen'); };"
pytestmark = pytest.mark.skipif(NGINX is None, reason="NOT TESTED: nginx is not installed")


def next_item(stream: SimpleQueue[Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return stream.get(timeout=20)
    except Empty:
        raise AssertionError("the stream was held back") from None


def test_replicas_behind_nginx(tmp_path: Path) -> None:
    KeyRing.create(tmp_path / "keys.json")
    settings: dict[str, Any] = {"DATABASE_URL": new_database()}
    with (
        serve(tmp_path, **settings) as one,
        serve(tmp_path, known=one, **settings) as other,
        balancer(tmp_path / "nginx", [one, other]) as url,
    ):
        api = Api(Connection(url, token=one.token))
        runtime = RuntimeClient(url, token=one.token)
        triggers = [{"id": "post-login", "version": "v3"}]
        body = {"name": "seen", "code": CODE, "supported_triggers": triggers}
        action = api.send("POST", "/api/v2/actions/actions", body=body).value
        api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
        bindings = [{"ref": {"type": "action_id", "value": action["id"]}}]
        api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})

        stream: SimpleQueue[Mapping[str, Any]] = SimpleQueue()

        def follow() -> None:
            for item in runtime.logs():
                stream.put(item)

        Thread(target=follow, daemon=True).start()
        time.sleep(0.5)  # until it is open: what is recorded before is not sent
        for _ in range(6):
            outcome = runtime.invoke("post-login", EVENT)
            assert isinstance(outcome, FlowOutcome)
        assert next_item(stream)["trigger_id"] == "post-login"
        assert len(used(tmp_path / "nginx")) == 2, "both replicas answer"

        large = urllib3.PoolManager().request(
            "POST",
            f"{url}/api/v2/actions/actions",
            body=b'"' + b"x" * 3_000_000 + b'"',
            headers={"Authorization": f"Bearer {one.token}", "Content-Type": "application/json"},
        )
        assert (large.status, large.json()["statusCode"]) == (413, 413), "in the API's shape, not in nginx's"

        one.process.send_signal(signal.SIGTERM)
        for _ in range(60):
            assert isinstance(runtime.invoke("post-login", EVENT), FlowOutcome)
            if one.process.poll() is not None:
                break
            time.sleep(0.05)
        assert isinstance(runtime.invoke("post-login", EVENT), FlowOutcome)
        assert one.process.wait(30) == 0
