"""Records of the service over HTTP: shown in pseudonyms, with a stamp that a worker made."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from runner.replay.execution_record import ExecutionRecord, checked_execution_record
from runner.replay.replay import replay
from tests.serving.server import Client, Server
from triggers import get_trigger

ACTION = """
exports.onExecutePostLogin = async (event, api) => {
  console.log(`asked by ${event.user.email} from ${event.request.ip}`, event.secrets.KEY.length);
  if (event.user.email === event.request.query.wanted) api.access.deny(`not ${event.user.name}`);
};
"""
PEOPLE = ("ada@mill.example", "Ada Lovelace", "203.0.113.77")


@pytest.fixture(scope="module")
def owner(whole: Server) -> Client:
    client = whole.client()
    client.bind(client.deployed(code=ACTION, secrets=[{"name": "KEY", "value": "hush-hush-hush-hush"}]))
    assert client.call("PATCH", "//api/v2/record-policy", {"policy": "all"}).status == 200
    return client


def denied(client: Client) -> str:
    event: dict[str, Any] = json.loads(json.dumps(get_trigger("post-login").example_event))
    event["user"] |= {"email": PEOPLE[0], "name": PEOPLE[1]}
    event["request"] |= {"ip": PEOPLE[2], "query": {"wanted": PEOPLE[0]}}
    reply = client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": event})
    assert (reply.status, reply.json["decision"]) == (200, "deny"), reply
    return str(reply.json["execution_id"])


def shown(client: Client, execution_id: str) -> ExecutionRecord:
    reply = client.call("GET", f"//runtime/v1/executions/{execution_id}/record")
    assert reply.status == 200, reply
    return checked_execution_record(reply.json, "the answer")


def test_the_redacted_form_is_shown_and_stamped_and_runs(owner: Client) -> None:
    execution_id = denied(owner)
    record = shown(owner, execution_id)
    assert record.form == "redacted"
    text = record.to_json()
    for value in (*PEOPLE, "Lovelace", "hush-hush"):
        assert value not in text
    assert record.redaction is not None
    assert record.redaction["paths"]["user.email"] == "contact"
    until = time.monotonic() + 60
    while record.fidelity is None and time.monotonic() < until:
        time.sleep(0.2)
        record = shown(owner, execution_id)
    assert record.fidelity == {"verdict": "exact", "call": "", "field": None, "leg": 1}
    again = replay(record.legs[0], lambda _: {"KEY": "hush-hush-hush-hush"})
    assert again.same, (again.divergences, again.differences)
    assert again.outcome.effects.denial is not None


def test_one_tenant_has_one_key(whole: Server, owner: Client) -> None:
    first, second = (shown(owner, denied(owner)).legs[0].state["event"]["user"]["email"] for _ in range(2))
    assert first == second != PEOPLE[0]
    other = whole.client()
    other.bind(other.deployed(code=ACTION, secrets=[{"name": "KEY", "value": "other-other-other"}]))
    assert other.call("PATCH", "//api/v2/record-policy", {"policy": "all"}).status == 200
    assert shown(other, denied(other)).legs[0].state["event"]["user"]["email"] not in (first, PEOPLE[0])
