"""What executions that hooks called for leave behind: in lists, in the log, in streams, in metrics."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import urllib3

from tests.hooks.sending import HOOKS, Line, line
from tests.serving.server import Server

LOGS = "//api/v2/logs"


@pytest.fixture
def hooked(whole: Server) -> Line:
    return line(whole, "zitadel", "preaccesstoken")


def called(item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = item["details"]["hook"]
    return found


def test_the_log_says_which_hook_called(hooked: Line) -> None:
    action = hooked.bind(
        'if (event.hook.payload.org.name === "x") throw new Error("down"); api.user.setAppMetadata("a", 1);'
    )
    payload = hooked.example()
    hooked.send(payload)
    payload["org"]["name"] = "x"
    hooked.send(payload)
    entries = hooked.client.get(LOGS, sort="date:1")
    assert [item["type"] for item in entries] == ["s", "f", "actions_execution_failed"]
    place = {"provider": "zitadel", "hook": "preaccesstoken"}
    assert [called(item) for item in entries] == [
        {**place, "result": "uncarried"},
        {**place, "result": "failed"},
        {**place, "result": "failed"},
    ]
    assert entries[2]["details"]["action_id"] == action["id"]
    assert [hooked.client.get(f"{LOGS}/{item['log_id']}") for item in entries] == entries


def test_an_invoke_has_no_hook_in_the_log(hooked: Line) -> None:
    hooked.bind("")
    event = hooked.client.call("POST", f"{HOOKS}/{hooked.id}/test", {}).json["event"]
    reply = hooked.client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": event})
    assert reply.status == 200
    (entry,) = hooked.client.get(LOGS)
    assert "hook" not in entry["details"]


def test_what_runs_later_says_it_too(whole: Server) -> None:
    hooked = line(whole, "kratos", "registered")
    hooked.bind("")
    assert hooked.send().status == 202
    hooked.ended(1)
    (entry,) = hooked.client.get(LOGS)
    assert (entry["type"], called(entry)) == ("ss", {"provider": "kratos", "hook": "registered"})


def test_the_live_log_says_which_hook_called(hooked: Line) -> None:
    hooked.bind("")
    headers = {"Authorization": f"Bearer {hooked.client.token}"}
    url = f"{hooked.client.url}/runtime/v1/logs/stream"
    stream = urllib3.PoolManager().request("GET", url, headers=headers, preload_content=False, timeout=30)
    try:
        first = stream.stream(1)
        text = next(first)  # the stream is open
        hooked.send()
        while b'"hook"' not in text or not text.endswith(b"\n\n"):
            text += next(first)
    finally:
        stream.close()
    (data,) = [row[5:] for row in text.decode().splitlines() if row.startswith("data:") and "hook" in row]
    assert json.loads(data)["hook"] == {"provider": "zitadel", "hook": "preaccesstoken", "result": "allowed"}


def test_a_flow_that_was_given_up_is_on_record(
    whole: Server, hooked: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it waited for; here for its Actions to be looked up."""

    def counted(name: str, **labels: str) -> float:
        return whole.app.state.plane.metrics.registry.get_sample_value(name, labels) or 0.0

    hooked.bind("")
    path = f"{HOOKS}/{hooked.id}"
    assert hooked.client.call("PATCH", path, {"budget_ms": 100}).status == 200
    failed = {"trigger": "post-login", "decision": "failed"}
    timed_out = {"provider": "zitadel", "hook": "preaccesstoken", "result": "timed_out"}
    flows = counted("actionbox_executions_total", **failed)
    requests = counted("actionbox_hook_requests_total", **timed_out)

    async def never(*_: Any) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(type(whole.app.state.runtime.flows), "_flow", never)
    answer = hooked.send()
    monkeypatch.undo()
    assert (answer.json["forwardedStatusCode"], hooked.goes_on(answer)) == (424, False)
    (execution,) = hooked.executions()
    assert (execution["status"], execution["decision"], execution["results"]) == ("final", "failed", [])
    assert execution["hook"] == timed_out
    outcome = hooked.client.get(f"//runtime/v1/executions/{execution['id']}")["outcome"]
    assert outcome["failure"]["code"] == "timeout"
    assert "when zitadel had to be answered" in outcome["failure"]["message"]
    assert counted("actionbox_executions_total", **failed) == flows + 1
    assert counted("actionbox_hook_requests_total", **timed_out) == requests + 1
    (entry,) = hooked.client.get(LOGS)
    assert (entry["type"], called(entry)["result"]) == ("f", "timed_out")


def test_a_request_that_comes_again_is_told_the_same(whole: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Actions may have run: they do not run once more."""
    hooked = line(whole, "okta", "token", budget_ms=100)
    hooked.bind("")

    async def never(*_: Any) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(type(whole.app.state.runtime.flows), "_flow", never)
    payload = hooked.example()
    answer = hooked.send(payload)
    monkeypatch.undo()
    assert hooked.send(payload).body == answer.body
    assert len(hooked.executions()) == 1
