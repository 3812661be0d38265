"""Event streams as the Management API keeps them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from runner.model import caps
from runner.store.tables.columns import named_id
from runner.store.tables.entities import EventStreamRow
from tests.serving.entities import STREAMS, create, refused, stream_action, stream_body
from tests.serving.server import Client, Server


def test_from_creation_to_deletion(client: Client) -> None:
    action = stream_action(client)
    made = create(client, STREAMS, stream_body(action["id"], "user.created", "user.deleted"))
    assert made == {
        **stream_body(action["id"], "user.created", "user.deleted"),
        "id": made["id"],
        "status": "enabled",
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert len(made["id"]) == 26
    assert made["id"].startswith("est_")
    path = f"{STREAMS}/{made['id']}"
    assert client.get(path) == made
    changes = {"status": "disabled", "subscriptions": [{"event_type": "group.created"}]}
    changed = client.call("PATCH", path, changes).json
    assert changed == {**made, **changes, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    other = stream_action(client)
    moved = client.call("PATCH", path, {"destination": stream_body(other["id"])["destination"]})
    assert moved.json["destination"]["configuration"] == {"action_id": other["id"]}
    assert client.call("DELETE", path).status == 204
    assert refused(client.call("GET", path)) == (404, "That event stream does not exist.")
    assert client.call("GET", f"/actions/{other['id']}").status == 404, "it goes with its stream"
    assert client.call("DELETE", f"/actions/{action['id']}").status == 204


def test_an_action_of_two_streams_stays_with_the_second(client: Client) -> None:
    action = stream_action(client)
    one, two = (create(client, STREAMS, stream_body(action["id"])) for _ in range(2))
    status, message = refused(client.call("DELETE", f"/actions/{action['id']}", force=True))
    assert status == 409
    assert "used by the event stream Sync, Sync" in message
    assert client.call("DELETE", f"{STREAMS}/{one['id']}").status == 204
    assert client.get(f"/actions/{action['id']}")["id"] == action["id"]
    assert client.call("DELETE", f"{STREAMS}/{two['id']}").status == 204
    assert client.call("GET", f"/actions/{action['id']}").status == 404


def test_what_may_be_left_out(embedded: Server) -> None:
    client = embedded.client()
    action = stream_action(client)["id"]
    destination = stream_body(action)["destination"]
    made = create(client, STREAMS, {"destination": destination, "status": "disabled"})
    assert "name" not in made
    assert (made["subscriptions"], made["status"]) == ([], "disabled")
    twice = create(
        client, STREAMS, stream_body(made["destination"]["configuration"]["action_id"], *["user.created"] * 2)
    )
    assert twice["subscriptions"] == [{"event_type": "user.created"}]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "$.name"),
        ({"name": None}, "$.name"),
        ({"subscriptions": []}, "$.subscriptions"),
        ({"subscriptions": [{"event_type": "user.create"}]}, "no such type of event"),
        ({"subscriptions": [{}]}, "Missing required property: event_type"),
        ({"status": "paused"}, "$.status"),
        ({"destination": None}, "$.destination"),
        ({"destination": {"type": "webhook", "configuration": {}}}, "$.destination.type"),
        ({"more": 1}, "Additional properties not allowed: more"),
        ({}, "there is no action"),
    ],
)
def test_what_is_refused(embedded: Server, changes: dict[str, Any], problem: str) -> None:
    client = embedded.client()
    reply = client.call("POST", STREAMS, {**stream_body(str(uuid.uuid4())), **changes})
    assert reply.status == 400
    assert problem in reply.json["message"]
    assert client.get(STREAMS) == {"eventStreams": []}


def test_changes_that_are_refused(embedded: Server) -> None:
    client = embedded.client()
    made = create(client, STREAMS, stream_body(stream_action(client)["id"]))
    login = client.deployed()
    for changes in (
        {"destination": None},
        {"destination": stream_body(login["id"])["destination"]},
        {"subscriptions": [{"event_type": "x"}]},
        {"id": made["id"]},
    ):
        assert refused(client.call("PATCH", f"{STREAMS}/{made['id']}", changes))[0] == 400, changes
    assert client.get(f"{STREAMS}/{made['id']}") == made


def test_another_tenant_has_its_own(server: Server) -> None:
    one, two = server.client(), server.client()
    made = create(one, STREAMS, stream_body(stream_action(one)["id"]))
    path = f"{STREAMS}/{made['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PATCH", path, {"name": "taken"}),
        ("DELETE", path, None),
        ("GET", f"{path}/deliveries", None),
        ("POST", f"{path}/redeliver", {}),
        ("POST", f"{path}/redeliver/evt_1", None),
        ("POST", f"{path}/test", {"event_type": "user.created"}),
    ]
    for method, place, body in calls:
        assert two.call(method, place, body).status == 404, place
    foreign = two.call("POST", STREAMS, stream_body(made["destination"]["configuration"]["action_id"]))
    assert "there is no action" in refused(foreign)[1]
    assert one.get(path) == made


def test_pages(client: Client) -> None:
    action = stream_action(client)
    made = [create(client, STREAMS, stream_body(action["id"]))["id"] for _ in range(3)]
    first = client.get(STREAMS, take=2)
    last = client.get(STREAMS, **{"take": 2, "from": first["next"]})
    assert [item["id"] for item in [*first["eventStreams"], *last["eventStreams"]]] == made
    assert "next" not in last


def test_caps(embedded: Server) -> None:
    client = embedded.client()
    action = stream_action(client)["id"]
    longest = "n" * caps.MAX_STREAM_NAME
    many = ["user.created"] * caps.MAX_SUBSCRIPTIONS
    create(client, STREAMS, stream_body(action, *many, name=longest))
    above = [stream_body(action, name=longest + "n"), stream_body(action, *many, "user.created")]
    assert [client.call("POST", STREAMS, body).status for body in above] == [400, 400]
    with embedded.service.store.begin() as session:
        for _ in range(caps.MAX_STREAMS - 2):
            session.add(EventStreamRow(tenant_id=client.tenant, id=named_id("est"), action_id=action))
    create(client, STREAMS, stream_body(action))
    reply = client.call("POST", STREAMS, stream_body(action))
    assert (reply.status, reply.json["errorCode"]) == (400, "too_many_entities")
