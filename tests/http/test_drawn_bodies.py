"""Bodies of every kind at bindings and event streams: what is accepted reads back, what is refused changes
nothing and says why, and nothing is a fault of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import examples
from tests.serving.entities import STREAMS, stream_action, stream_body
from tests.serving.server import Client, Reply, Server
from tests.strategies import events, json_values
from triggers.values.stream_types import STREAM_EVENT_TYPES

INVOKE = "//runtime/v1/triggers/event-stream/invoke"
_ANY = json_values | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_NAMES = st.sampled_from(["ACTION_NAME", "ACTION_ID", "BINDING_ID"])
_REFERENCES = st.fixed_dictionaries(
    {"type": st.sampled_from(["action_name", "action_id", "binding_id"]) | _ANY, "value": _NAMES | _ANY}
)
_BINDINGS = st.fixed_dictionaries(
    {"ref": _REFERENCES | _ANY},
    optional={
        "display_name": st.text(max_size=80) | _ANY,
        "secrets": st.lists(st.fixed_dictionaries({"name": _ANY, "value": _ANY}), max_size=2) | _ANY,
        "fail_policy": st.sampled_from(["fail_open", "fail_closed", "last_good"]) | _ANY,
        "limits": st.dictionaries(st.sampled_from(["wall_ms", "memory_bytes"]), _ANY) | _ANY,
    },
)
_STREAMS = st.fixed_dictionaries(
    {},
    optional={
        "name": _ANY,
        "status": st.sampled_from(["enabled", "disabled"]) | _ANY,
        "subscriptions": st.lists(
            st.fixed_dictionaries({"event_type": st.sampled_from(sorted(STREAM_EVENT_TYPES)) | _ANY}),
            max_size=3,
        )
        | _ANY,
        "destination": _ANY,
        "surplus": _ANY,
    },
)


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with what stands for names and ids of this tenant."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


def check_refusal(reply: Reply) -> None:
    assert 400 <= reply.status < 500, reply
    assert reply.json["message"]
    assert reply.json["errorCode"]


@pytest.fixture(scope="module")
def tenant(embedded: Server) -> tuple[Client, dict[str, str]]:
    """A tenant with a bound Action, and what its names and ids are."""
    client = embedded.client()
    action = client.deployed("bound")
    (binding,) = client.bind(action)
    return client, {"ACTION_NAME": "bound", "ACTION_ID": action["id"], "BINDING_ID": binding["id"]}


@examples(40)
@given(st.lists(_BINDINGS, max_size=3) | _ANY)
def test_bindings(tenant: tuple[Client, dict[str, str]], drawn: Any) -> None:
    client, names = tenant
    path = "/triggers/post-login/bindings"
    before = client.get(path)["bindings"]
    reply = client.call("PATCH", path, {"bindings": filled(drawn, names)})
    now = client.get(path)["bindings"]
    if reply.status == 200:
        assert [item["id"] for item in reply.json["bindings"]] == [item["id"] for item in now]
        assert len(now) == len(drawn)
        (binding,) = client.bind(client.get(f"/actions/{names['ACTION_ID']}"))
        names["BINDING_ID"] = binding["id"]
    else:
        check_refusal(reply)
        assert now == before


@examples(40)
@given(_STREAMS)
def test_event_streams(stream: tuple[Client, str], drawn: dict[str, Any]) -> None:
    client, action_id = stream
    reply = client.call("POST", STREAMS, {**stream_body(action_id), **drawn})
    if reply.status == 201:
        path = f"{STREAMS}/{reply.json['id']}"
        assert client.get(path) == reply.json
        assert client.call("DELETE", path).status == 204
    else:
        check_refusal(reply)


@examples(40)
@given(events("event-stream") | json_values)
def test_events_of_streams(stream: tuple[Client, str], drawn: Any) -> None:
    client, _ = stream
    reply = client.call("POST", INVOKE, {"event": drawn})
    if reply.status != 202:
        check_refusal(reply)
    else:
        found = client.get(f"//runtime/v1/executions/{reply.json['execution_id']}")
        assert found["trigger_id"] == "event-stream"


@pytest.fixture(scope="module")
def stream(whole: Server) -> tuple[Client, str]:
    """A tenant with an Action for event streams."""
    client = whole.client()
    return client, stream_action(client)["id"]
