"""Events that platforms put through the runtime API reach the streams that want them, or are found again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from runner.jobs.event_streams import settle
from runner.jobs.policy import POLICIES, Policy
from runner.model import caps
from runner.store.tables.entities import EventDeliveryRow, EventStreamRow
from runner.store.tables.runs import DEAD, DONE, JobRow
from tests.serving.entities import DOWN, STREAMS, create, refused, stream_action, stream_body
from tests.serving.server import Client, Server
from triggers import get_trigger
from triggers.values.stream_types import STREAM_EVENT_TYPES

INVOKE = "//runtime/v1/triggers/event-stream/invoke"
EXECUTIONS = "//runtime/v1/executions"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setitem(POLICIES, ("flow", "event-stream"), Policy(pauses=(0.0, 0.0, 0.0)))


def event(event_id: str, event_type: str = "user.created") -> dict[str, Any]:
    example = get_trigger("event-stream").example_event
    return {**example, "message": {**example["message"], "id": event_id, "type": event_type}}


def send(client: Client, event_id: str, event_type: str = "user.created") -> dict[str, Any]:
    reply = client.call("POST", INVOKE, {"event": event(event_id, event_type)})
    assert reply.status == 202, reply
    return reply.json


def until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 30
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def failed(client: Client, stream: dict[str, Any], count: int, **query: Any) -> list[dict[str, Any]]:
    """Failed deliveries of a stream, as soon as there are so many."""
    path = f"{STREAMS}/{stream['id']}/deliveries"
    found = until(lambda: client.get(path, **query)["deliveries"], lambda items: len(items) >= count)
    assert len(found) == count
    return found


def arrived(client: Client, stream: dict[str, Any], event_id: str) -> dict[str, Any]:
    path = f"{STREAMS}/{stream['id']}/deliveries/{event_id}"
    return until(lambda: client.get(path), lambda item: item["status"] == "delivered")


def test_an_event_reaches_each_stream_that_wants_it(whole: Server) -> None:
    client = whole.client()
    action = stream_action(client)
    one = create(client, STREAMS, stream_body(action["id"], "user.created"))
    two = create(client, STREAMS, stream_body(action["id"], "group.created", "user.created"))
    create(client, STREAMS, stream_body(action["id"], "group.created"))
    create(client, STREAMS, stream_body(action["id"], status="disabled"))
    sent = send(client, "evt_first")
    assert [item["event_stream_id"] for item in sent["deliveries"]] == [one["id"], two["id"]]
    assert sent["execution_id"] == sent["deliveries"][0]["execution_id"]
    for item, stream in zip(sent["deliveries"], (one, two), strict=True):
        found = arrived(client, stream, "evt_first")
        assert (found["event_type"], len(found["attempts"])) == ("user.created", 1)
        assert found["event"]["a0stream"] == stream["id"]
        ran = client.get(f"{EXECUTIONS}/{item['execution_id']}")
        assert ran["results"][0]["logs"][0]["text"] == f"{stream['id']} evt_first"
    assert send(client, "evt_first") == sent, "it is the same event"
    assert len(client.get(EXECUTIONS)["executions"]) == 2


def test_an_event_that_nobody_wants(whole: Server) -> None:
    client = whole.client()
    sent = send(client, "evt_1")
    assert (sent["status"], sent["deliveries"]) == ("final", [])
    ran = client.get(f"{EXECUTIONS}/{sent['execution_id']}")
    assert (ran["status"], ran["results"]) == ("final", [])
    for event_id, status in (("", 400), ("x" * (caps.MAX_EVENT_ID + 1), 400), ("x" * caps.MAX_EVENT_ID, 202)):
        reply = client.call("POST", INVOKE, {"event": event(event_id)})
        assert reply.status == status
    broken = client.call("POST", INVOKE, {"event": {"message": {}}})
    assert (broken.status, broken.json["errorCode"]) == (400, "invalid_event")


def test_the_same_request_is_answered_the_same(whole: Server) -> None:
    client = whole.client()
    create(client, STREAMS, stream_body(stream_action(client)["id"]))
    body, key = {"event": event("evt_key")}, {"Idempotency-Key": "k"}
    first = client.call("POST", INVOKE, body, headers=key)
    again = client.call("POST", INVOKE, body, headers=key)
    assert (first.json, again.headers["Idempotency-Replayed"]) == (again.json, "true")
    assert len(first.json["deliveries"]) == 1


def test_what_failed_is_listed_and_delivered_again(whole: Server) -> None:
    client = whole.client()
    action = stream_action(client, DOWN)
    stream = create(client, STREAMS, stream_body(action["id"], "user.created", "user.deleted"))
    path = f"{STREAMS}/{stream['id']}"
    sent = send(client, "evt_1")
    (found,) = failed(client, stream, 1)
    assert (found["id"], found["event_stream_id"], found["status"]) == ("evt_1", stream["id"], "failed")
    assert [item["status"] for item in found["attempts"]] == ["failed"] * 4
    assert found["attempts"][0]["error_message"].startswith("down")
    assert found["event"]["id"] == "evt_1"
    send(client, "evt_2", "user.deleted")
    newest = failed(client, stream, 2)
    assert [item["id"] for item in newest] == ["evt_2", "evt_1"]
    assert [item["id"] for item in failed(client, stream, 1, event_types="user.deleted")] == ["evt_2"]
    assert failed(client, stream, 0, date_to="2020-01-01T00:00:00Z") == []
    first = client.get(f"{path}/deliveries", take=1, statuses="failed")
    rest = client.get(f"{path}/deliveries", **{"take": 1, "from": first["next"]})
    assert [item["deliveries"][0]["id"] for item in (first, rest)] == ["evt_2", "evt_1"]
    assert "next" not in rest

    reply = client.call("POST", f"{path}/redeliver", {"event_types": ["user.deleted"]})
    assert (reply.status, reply.json) == (202, {"event_types": ["user.deleted"]})
    again = until(lambda: client.get(f"{path}/deliveries/evt_2"), lambda item: len(item["attempts"]) == 8)
    assert again["status"] in ("failed", "pending")
    client.call("PATCH", f"/actions/{action['id']}", {"code": DOWN.replace("throw", "return; throw")})
    client.settled(action["id"])
    assert client.call("POST", f"/actions/{action['id']}/deploy").status == 200
    failed(client, stream, 2)
    assert client.call("POST", f"{path}/redeliver/evt_1").status == 202
    delivered = arrived(client, stream, "evt_1")
    assert [item["status"] for item in delivered["attempts"]] == ["failed"] * 4 + ["delivered"]
    assert client.get(f"{EXECUTIONS}/{sent['execution_id']}")["id"] == sent["execution_id"]
    twice = client.call("POST", f"{path}/redeliver/evt_1")
    assert refused(twice) == (400, "The delivery has not failed: there is nothing to deliver again.")
    assert client.call("POST", f"{path}/redeliver").status == 202
    arrived(client, stream, "evt_2")
    assert failed(client, stream, 0) == []
    assert client.call("POST", f"{path}/redeliver/evt_3").status == 404


def test_a_deleted_stream_is_told_of_nothing_more(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, ("flow", "event-stream"), Policy(pauses=(3600.0,)))
    client = whole.client()
    stream = create(client, STREAMS, stream_body(stream_action(client, DOWN)["id"]))
    sent = send(client, "evt_1")
    path = f"{EXECUTIONS}/{sent['execution_id']}"
    until(lambda: client.get(path)["results"], bool)
    assert client.call("DELETE", f"{STREAMS}/{stream['id']}").status == 204
    ran = client.get(path)
    assert (ran["jobs"], len(ran["results"])) == ([], 1)
    assert send(client, "evt_2")["deliveries"] == []


def test_test_events(whole: Server) -> None:
    client = whole.client()
    code = "exports.onExecuteEventStream = async (event) => console.log(JSON.stringify(event.message));\n"
    stream = create(client, STREAMS, stream_body(stream_action(client, code)["id"]))
    path = f"{STREAMS}/{stream['id']}"
    data = {"object": {"id": 1}}
    reply = client.call("POST", f"{path}/test", {"event_type": "group.created", "data": data})
    assert (reply.status, reply.json["status"], reply.json["attempts"]) == (202, "pending", [])
    found = arrived(client, stream, reply.json["id"])
    message = found["event"]
    assert (message["a0purpose"], message["a0tenant"]) == ("test", client.tenant)
    assert (message["type"], message["data"]) == ("group.created", data)
    for body in ({}, {"event_type": "x.y"}, {"event_type": "user.created", "data": []}):
        assert refused(client.call("POST", f"{path}/test", body))[0] == 400
    client.call("PATCH", path, {"status": "disabled"})
    tried: list[tuple[str, Any]] = [
        ("test", {"event_type": "user.created"}),
        ("redeliver", {}),
        ("redeliver/x", None),
    ]
    for place, body in tried:
        answer = client.call("POST", f"{path}/{place}", body)
        assert (answer.status, answer.json["errorCode"]) == (400, "event_stream_disabled")


def test_made_up_data_of_every_type(embedded: Server) -> None:
    client = embedded.client()
    stream = create(client, STREAMS, stream_body(stream_action(client)["id"]))
    trigger = get_trigger("event-stream")
    for name in sorted(STREAM_EVENT_TYPES):
        sent = client.call("POST", f"{STREAMS}/{stream['id']}/test", {"event_type": name}).json
        assert sent["event"]["data"]["object"]
        trigger.parse_event({"message": sent["event"]})


@pytest.mark.parametrize(
    "query",
    [
        {"statuses": "delivered"},
        {"event_types": "user.created,nothing"},
        {"date_from": "yesterday"},
        {"date_to": "2025-01-01T00:00:00"},
        {"date_to": "0001-01-01T00:00:00%2B23:00"},
        {"from": "nowhere"},
        {"take": 0},
    ],
)
def test_queries_that_are_refused(embedded: Server, query: dict[str, Any]) -> None:
    client = embedded.client()
    stream = create(client, STREAMS, stream_body(stream_action(client)["id"]))
    reply = client.call("GET", f"{STREAMS}/{stream['id']}/deliveries", **query)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_query_string")


@pytest.mark.parametrize(
    "body",
    [
        {"date_from": 5},
        {"date_from": "2025-13-01T00:00:00Z"},
        {"statuses": ["delivered"]},
        {"event_types": ["nothing"]},
        {"more": 1},
    ],
)
def test_redeliveries_that_are_refused(embedded: Server, body: dict[str, Any]) -> None:
    client = embedded.client()
    stream = create(client, STREAMS, stream_body(stream_action(client)["id"]))
    reply = client.call("POST", f"{STREAMS}/{stream['id']}/redeliver", body)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")


@pytest.mark.parametrize(
    ("failures", "in_a_row"),
    [
        (caps.MAX_STREAM_FAILURES - 2, 0),
        (0, caps.MAX_STREAM_FAILURES_IN_A_ROW - 2),
    ],
)
def test_a_stream_that_fails_too_often_is_disabled(server: Server, failures: int, in_a_row: int) -> None:
    client = server.client()
    stream = create(client, STREAMS, stream_body(stream_action(client)["id"]))
    key = (client.tenant, stream["id"])
    path = f"{STREAMS}/{stream['id']}"

    def ended(state: str) -> str:
        with server.service.store.begin() as session:
            session.get_one(JobRow, (client.tenant, job.id)).state = state
            session.flush()
            settle(session, client.tenant, "e1")
        return str(client.get(path)["status"])

    with server.service.store.begin() as session:
        job = JobRow(tenant_id=client.tenant, id="j1", kind="none", execution_id="e1", state=DONE)
        job.next_at = session.get_one(EventStreamRow, key).created_at
        row = session.get_one(EventStreamRow, key)
        row.failures, row.failures_in_a_row = failures, in_a_row
        session.add(job)
        session.add(
            EventDeliveryRow(
                tenant_id=client.tenant,
                stream_id=stream["id"],
                event_id="evt_1",
                event_type="user.created",
                execution_id="e1",
                job_id="j1",
            )
        )
    assert (ended(DEAD), ended(DEAD)) == ("enabled", "disabled")
    client.call("PATCH", path, {"status": "enabled"})
    assert ended(DEAD) == "enabled", "a new count has begun"
    ended(DONE)
    with server.service.store.read() as session:
        row = session.get_one(EventStreamRow, key)
        assert (row.failures, row.failures_in_a_row) == (1, 0)
