"""Answers of lists are bounded by bytes, over HTTP, and clients find the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.client import Api, Connection, RuntimeClient
from runner.jobs.policy import POLICIES, Policy
from runner.model.caps import KIB, MAX_LIST_BYTES
from tests.runtime.test_deliveries import event, until
from tests.serving.entities import DOWN, STREAMS, create, stream_action, stream_body
from tests.serving.server import Client, Server
from triggers import get_trigger

CHATTY = """exports.onExecutePostLogin = async () => {
  for (let i = 0; i < 5; i++) console.log("x".repeat(65e3));
};
"""
EXECUTIONS = "//runtime/v1/executions"
ROOM = MAX_LIST_BYTES + 512 * KIB


def size(value: Any) -> int:
    return len(json.dumps(value).encode())


@pytest.fixture
def chatty(whole: Server) -> tuple[Client, list[str]]:
    """A client with 24 executions of 256 KiB of console output, and their ids, the newest first."""
    client = whole.client()
    client.bind(client.deployed(code=CHATTY))
    body = {"event": get_trigger("post-login").example_event}
    made = []
    for _ in range(24):
        reply = client.call("POST", "//runtime/v1/triggers/post-login/invoke", body)
        assert reply.json["decision"] == "allow", reply
        made.append(reply.json["execution_id"])
    return client, made[::-1]


def test_executions(chatty: tuple[Client, list[str]]) -> None:
    client, made = chatty
    seen: list[str] = []
    query: dict[str, Any] = {"per_page": 100}
    while True:
        page = client.get(EXECUTIONS, **query)
        assert size(page) < ROOM
        seen += [item["id"] for item in page["executions"]]
        if "next" not in page:
            break
        assert page["executions"]
        query["after"] = page["next"]
    assert seen == made


def test_clients_follow(chatty: tuple[Client, list[str]]) -> None:
    client, made = chatty
    platform = RuntimeClient(client.url, token=client.token)
    assert [item["id"] for item in platform.executions(per_page=100)] == made
    assert [item["id"] for item in platform.executions()] == made[:20]
    assert [item["id"] for item in platform.executions(per_page=20, page=1)] == made[20:]
    api = Api(Connection(client.url, token=client.token))
    assert len(api.some("/runtime/v1/executions", "executions", 22)) == 22


@pytest.mark.parametrize("after", ["x", "MTo=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk6YQ", "%00"])
def test_an_after_that_no_answer_gave_is_refused(whole: Server, after: str) -> None:
    reply = whole.client().call("GET", EXECUTIONS, after=after)
    assert (reply.status, reply.json["errorCode"]) == (400, "invalid_query_string")
    assert "after" in reply.json["message"]


def test_the_log_names_failures_among_much_output(whole: Server) -> None:
    client = whole.client()
    client.bind(client.deployed(code=CHATTY.replace("};\n", "throw new Error('no'); };\n")))
    body = {"event": get_trigger("post-login").example_event}
    for _ in range(20):
        client.call("POST", "//runtime/v1/triggers/post-login/invoke", body)
    entries = client.get("//api/v2/logs", per_page=100)
    assert [entry["type"] for entry in entries].count("actions_execution_failed") == 20
    assert [entry["type"] for entry in entries].count("f") == 20
    assert size(entries) < 256 * KIB


def test_deliveries(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICIES, ("flow", "event-stream"), Policy(pauses=()))
    client = whole.client()
    stream = create(client, STREAMS, stream_body(stream_action(client, DOWN)["id"], "user.created"))
    for number in range(7):
        sent = event(f"evt_{number}")
        sent["message"]["data"] = {**sent["message"]["data"], "padding": "x" * 900_000}
        assert client.call("POST", "//runtime/v1/triggers/event-stream/invoke", {"event": sent}).status == 202
    until(lambda: client.get("//runtime/v1/jobs")["jobs"], lambda jobs: len(jobs) == 7)
    first = client.get(f"{STREAMS}/{stream['id']}/deliveries", take=100)
    assert len(first["deliveries"]) == 4
    rest = client.get(f"{STREAMS}/{stream['id']}/deliveries", **{"take": 100, "from": first["next"]})
    assert "next" not in rest
    found = [item["id"] for item in (*first["deliveries"], *rest["deliveries"])]
    assert found == [f"evt_{number}" for number in reversed(range(7))]
