"""Times of the parts of a request, for whoever asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.serving.server import Client, Reply, Server
from triggers import get_trigger

EVENT = get_trigger("post-login").example_event
INVOKE = "//runtime/v1/triggers/post-login/invoke"
ASKED = {"Prefer": "respond-async, Server-Timing; wait=1"}
CODE = """
exports.onExecutePostLogin = async (event, api) => { api.redirect.sendUserTo("https://x.example/"); };
exports.onContinuePostLogin = async () => {};
"""


@pytest.fixture
def client(whole: Server) -> Client:
    client = whole.client()
    client.bind(client.deployed(code=CODE))
    return client


def parts(reply: Reply) -> dict[str, float]:
    assert reply.status == 200, reply
    found = re.findall(r"([a-z]+);dur=([0-9.]+)(?:, |$)", reply.headers["Server-Timing"])
    return {name: float(ms) for name, ms in found}


def resumption(outcome: Mapping[str, Any]) -> dict[str, Any]:
    waiting = outcome["suspension"]
    request = {**EVENT["request"], "query": {"state": waiting["state"]}}
    return {"handle": waiting["handle"], "request": request}


def test_the_parts_of_both_legs_add_up(client: Client) -> None:
    first = client.call("POST", INVOKE, {"event": EVENT}, headers=ASKED)
    second = client.call("POST", "//runtime/v1/resume", resumption(first.json), headers=ASKED)
    for reply in (first, second):
        told = parts(reply)
        assert list(told) == ["queue", "build", "run", "record", "total"]
        assert sum(told.values()) - told["total"] <= told["total"]
        assert told["run"] == reply.json["timing"]["wall_ms"] > 0
        assert told["build"] == reply.json["timing"]["build_ms"]
        assert told["record"] > 0


@pytest.mark.parametrize("prefer", [None, "respond-async", "server-timings", "x;server-timing"])
def test_nobody_else_is_told(client: Client, prefer: str | None) -> None:
    headers = {} if prefer is None else {"Prefer": prefer}
    assert "Server-Timing" not in client.call("POST", INVOKE, {"event": EVENT}, headers=headers).headers


def test_a_stored_answer_has_its_total_only(client: Client) -> None:
    headers = {**ASKED, "Idempotency-Key": "k"}
    client.call("POST", INVOKE, {"event": EVENT}, headers=headers)
    replayed = client.call("POST", INVOKE, {"event": EVENT}, headers=headers)
    assert list(parts(replayed)) == ["total"]
