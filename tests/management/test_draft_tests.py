"""Testing a draft, executions, the audit trail, and what the deploy tool asks for beside Actions."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from runner.store.tables.columns import now
from runner.store.tables.models import AuditRow
from runner.store.tables.runs import ExecutionRow
from tests.serving.server import HANDLER, Client, Server, running, settings_for

THROWS = """exports.onExecutePostLogin = async (event, api) => {
  console.log("key", event.secrets.KEY);
  throw new RangeError("bad " + event.secrets.KEY);
};
"""


@pytest.fixture
def client(embedded: Server) -> Client:
    return embedded.client()


def run(client: Client, action: dict[str, object], payload: object) -> dict[str, object]:
    reply = client.call("POST", f"/actions/{action['id']}/test", {"payload": payload})
    assert reply.status == 200, reply
    found: dict[str, object] = reply.json["payload"]
    return found


def test_a_throwing_action_is_a_200(client: Client) -> None:
    action = client.create(code=THROWS, secrets=[{"name": "KEY", "value": "quite-a-secret"}])
    payload = run(client, action, {})
    assert payload["decision"] == "failed"
    error = payload["error"]
    assert isinstance(error, dict)
    assert (error["name"], error["message"]) == ("RangeError", "bad [secret KEY]")
    assert f"{action['name']}.js:3:" in error["stack"]
    stats = payload["stats"]
    assert isinstance(stats, dict)
    assert all(isinstance(value, int) for value in stats.values())
    assert {"total_request_duration_ms", "action_duration_ms", "boot_duration_ms"} <= set(stats)
    assert "quite-a-secret" not in str(payload)


@pytest.mark.parametrize("wrap", [True, False])
def test_the_event_as_event_or_as_payload(client: Client, wrap: bool) -> None:
    code = "exports.onExecutePostLogin = async (event, api) => { console.log(event.user.email); };"
    action = client.create(code=code)
    event = {**_example(), "user": {**_example()["user"], "email": "maya@quay.example"}}
    payload = run(client, action, {"event": event} if wrap else event)
    assert payload["logs"][0]["text"] == "maya@quay.example"  # type: ignore[index]


def _example() -> dict[str, dict[str, object]]:
    from triggers import get_trigger

    return get_trigger("post-login").example_event


def test_what_an_event_lacks_comes_from_the_example(client: Client) -> None:
    code = "exports.onExecutePostLogin = async (event) => { console.log(JSON.stringify(event)); };"
    action = client.create(code=code)
    part = {"user": {"email": "maya@quay.example"}, "request": {"query": {"a": "1"}}}
    payload = run(client, action, {"event": part})
    seen = json.loads(payload["logs"][0]["text"])  # type: ignore[index]
    assert seen["user"]["email"] == "maya@quay.example"
    assert seen["user"]["user_id"] == _example()["user"]["user_id"]
    assert seen["request"]["query"]["a"] == "1"
    assert seen["client"] == _example()["client"]
    filled = payload["filled_in"]
    assert isinstance(filled, list)
    assert {"client", "user.user_id"} <= set(filled)
    assert "user.email" not in filled
    assert "filled_in" not in run(client, action, {"event": _example()}), "it is whole"
    least = {name: value for name, value in _example().items() if name != "organization"}
    whole = run(client, action, {"event": least})
    assert "filled_in" not in whole
    assert "organization" not in json.loads(whole["logs"][0]["text"])  # type: ignore[index]


def test_the_draft_runs_and_not_what_is_deployed(client: Client) -> None:
    action = client.deployed(code=HANDLER)
    client.call("PATCH", f"/actions/{action['id']}", {"code": THROWS})
    assert run(client, action, {})["decision"] == "failed"


def test_wrong_events_are_placed(client: Client) -> None:
    action = client.create()
    for payload, place in (
        ({"event": {"user": 7}}, "$.payload.event"),
        ({"event": []}, "$.payload.event"),
        ({"user": 7}, "$.payload"),
    ):
        reply = client.call("POST", f"/actions/{action['id']}/test", {"payload": payload})
        assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")
        assert place in reply.json["message"]
    assert client.call("POST", f"/actions/{action['id']}/test", {"payload": []}).status == 400
    assert client.call("POST", f"/actions/{action['id']}/test", {}).status == 400


def test_a_draft_that_does_not_build_cannot_be_tested(client: Client) -> None:
    action = client.create(code="exports.onExecutePostLogin = (")
    reply = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
    assert reply.status == 400
    assert "must be in the 'built' state" in reply.json["message"]


def test_tests_of_one_tenant_are_bounded(tmp_path: Path) -> None:
    """Who fills the threads of the service with looping drafts is told to wait; others are served."""
    with running(settings_for(tmp_path, wall_ms=1500)) as server:
        flooder, other = server.client(), server.client()
        action = flooder.create(code="exports.onExecutePostLogin = async () => { while (true) {} };")
        statuses: list[int] = []

        def call() -> None:
            reply = flooder.call("POST", f"/actions/{action['id']}/test", {"payload": {}})
            statuses.append(reply.status)

        callers = [threading.Thread(target=call) for _ in range(8)]
        for caller in callers:
            caller.start()
        assert other.call("GET", "/triggers").status == 200
        for caller in callers:
            caller.join()
    assert sorted(statuses) == [200] * 4 + [429] * 4


def test_an_execution(client: Client, embedded: Server) -> None:
    started = "2026-11-24T10:00:00.000000Z"
    with embedded.service.store.begin() as session:
        session.add(
            ExecutionRow(
                tenant_id=client.tenant,
                id="exe_1",
                trigger_id="post-login",
                status="final",
                results=[
                    {
                        "action_name": "a",
                        "action_id": "x",
                        "logs": ["hidden"],
                        "started_at": started,
                        "ended_at": started,
                        "error": {"id": "throw", "msg": "bad", "url": ""},
                    }
                ],
                expires_at=now() + timedelta(days=10),
            )
        )
    found = client.get("/executions/exe_1")
    assert list(found) == ["id", "trigger_id", "status", "results", "created_at", "updated_at"]
    assert found["results"] == [
        {
            "action_name": "a",
            "error": {"id": "throw", "msg": "bad", "url": ""},
            "started_at": started,
            "ended_at": started,
        }
    ]
    for caller, name in ((embedded.client(), "exe_1"), (client, "exe_2"), (client, "%00")):
        reply = caller.call("GET", f"/executions/{name}")
        assert (reply.status, reply.json["message"]) == (404, "That execution does not exist.")


def test_every_write_leaves_an_audit_row(client: Client, embedded: Server) -> None:
    action = client.deployed()
    path = f"/actions/{action['id']}"
    client.call("PATCH", path, {"code": HANDLER + "//"})
    client.bind(action)
    client.call("POST", f"{path}/versions/{action['deployed_version']['id']}/deploy")
    client.call("DELETE", path, force=True)
    client.call("DELETE", path)
    module = client.call("POST", "/modules", {"name": "m", "code": ""}).json
    client.call("PATCH", f"/modules/{module['id']}", {"code": "1"})
    version = client.call("POST", f"/modules/{module['id']}/versions").json
    client.call("PATCH", f"/modules/{module['id']}", {"code": "2"})
    client.call("POST", f"/modules/{module['id']}/rollback", {"module_version_id": version["id"]})
    client.call("DELETE", f"/modules/{module['id']}")
    with embedded.service.store.read() as session:
        rows = session.scalars(
            select(AuditRow).where(AuditRow.tenant_id == client.tenant).order_by(AuditRow.id)
        ).all()
        assert client.credentials is not None
        assert {row.actor for row in rows} == {client.credentials.client_id}
        assert [row.operation for row in rows] == [
            *("action.create", "action.deploy", "action.update", "bindings.update", "action.rollback"),
            *("action.delete", "module.create", "module.update", "module.publish", "module.update"),
            *("module.rollback", "module.delete"),
        ]
        assert rows[0].digest == rows[1].digest != rows[2].digest


def test_the_deploy_tool_finds_no_applications(client: Client) -> None:
    query = {"page": 0, "per_page": 100, "include_totals": True}
    assert client.get("//api/v2/clients", **query) == {
        "clients": [],
        "total": 0,
        "start": 0,
        "limit": 100,
        "length": 0,
    }
    assert client.get("//api/v2/clients") == []
    assert client.call("GET", "//api/v2/tenants/settings").status == 404
