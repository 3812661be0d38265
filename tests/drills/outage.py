"""What a service must do while its database cannot be used, and afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from tests.e2e.serving import Served
from triggers import get_trigger

_HTTP = urllib3.PoolManager(maxsize=32, retries=False, timeout=60)
INVOKE = "/runtime/v1/triggers/{}/invoke"
ACTION = {
    "name": "kept",
    "code": "exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim('c', 1); };",
    "supported_triggers": [{"id": "post-login", "version": "v3"}],
}


@dataclass(frozen=True)
class Answer:
    """What came back; `status` 0 when the connection broke instead."""

    status: int
    value: Any
    headers: Mapping[str, str]


def call(served: Served, method: str, path: str, body: Any = None, key: str = "") -> Answer:
    """One request, without any retry."""
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    url = served.url.replace("localhost", "127.0.0.1") + path
    try:
        reply = _HTTP.request(method, url, body=data, headers=headers)
    except urllib3.exceptions.HTTPError:
        return Answer(0, None, {})
    return Answer(reply.status, json.loads(reply.data) if reply.data else None, reply.headers)


def event(trigger: str = "post-login") -> dict[str, Any]:
    """Body of an invocation."""
    return {"event": get_trigger(trigger).example_event}


def invoke(served: Served, key: str = "", trigger: str = "post-login") -> Answer:
    return call(served, "POST", INVOKE.format(trigger), event(trigger), key)


def check_unavailable(answer: Answer) -> None:
    """503 as docs/runtime-api.md has it: come back later, and nothing of our insides."""
    assert answer.status == 503, answer
    assert answer.value["statusCode"] == 503
    assert answer.value["errorCode"] == "database_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert not any(
        word in str(answer.value) for word in ("Traceback", "sqlite", "psycopg", "SELECT", "INSERT")
    )


def prepared(served: Served) -> Answer:
    """One Action at post-login; the answer to an invocation with key `first`."""
    api = served.api()
    action = api.send("POST", "/api/v2/actions/actions", body=ACTION).value
    api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
    bindings = [{"ref": {"type": "action_id", "value": action["id"]}, "display_name": "kept"}]
    api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
    answer = invoke(served, "first")
    assert answer.value["effects"]["id_token_claims"] == {"c": 1}
    return answer


def refuses_writes(served: Served) -> None:
    """Whatever would have to be kept is refused, and nothing else happens."""
    for number in range(3):
        check_unavailable(invoke(served, f"during {number}"))
        check_unavailable(invoke(served))
        check_unavailable(invoke(served, trigger="post-user-registration"))
        check_unavailable(call(served, "POST", "/api/v2/actions/actions", {**ACTION, "name": f"no {number}"}))
    ready = call(served, "GET", "/ready")
    assert (ready.status, ready.value["status"]) == (503, "unavailable")
    assert call(served, "GET", "/health").status == 200


def recovers(served: Served, first: Answer, seconds: float = 30) -> None:
    """Without a restart: ready again, old answers are replayed, refused requests are done once."""
    deadline = time.monotonic() + seconds
    while call(served, "GET", "/ready").status != 200:
        assert time.monotonic() < deadline, served.output[-2000:]
        time.sleep(0.1)
    assert invoke(served, "first").value == first.value
    ids = {first.value["execution_id"]}
    for number in range(3):
        answers = [invoke(served, f"during {number}") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].value == answers[1].value
        ids.add(answers[0].value["execution_id"])
    later = invoke(served, trigger="post-user-registration")
    assert later.status == 202
    ids.add(later.value["execution_id"])
    listed = call(served, "GET", "/runtime/v1/executions?per_page=100").value["executions"]
    assert {item["id"] for item in listed} == ids, "what was refused has left no trace"
    assert call(served, "GET", "/api/v2/actions/actions").value["total"] == 1
    wait_final(served, later.value["execution_id"])
    assert "Traceback" not in served.output


def wait_final(served: Served, execution_id: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while call(served, "GET", f"/runtime/v1/executions/{execution_id}").value["status"] != "final":
        assert time.monotonic() < deadline, "an acknowledged job is stuck"
        time.sleep(0.1)


def workers_of(served: Served) -> set[int]:
    """Process ids of the sandboxes."""
    pid = served.process.pid
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(text) for text in children.read_text().split()}
    return found
