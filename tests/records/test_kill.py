"""A service that is killed between an answer and its record."""

from __future__ import annotations

from pathlib import Path

from runner.client import Api
from runner.client.http import ServiceError
from tests.e2e.serving import serve
from triggers import get_trigger

DENY = "exports.onExecutePostLogin = async (event, api) => { api.access.deny('no'); };"
PLAIN = {"form": "plain", "reason": "a test"}
RECORD = "/runtime/v1/executions/{}/record"


def test_a_service_that_is_killed_loses_records_at_most_and_says_so(tmp_path: Path) -> None:
    event = get_trigger("post-login").example_event
    with serve(tmp_path) as first:
        api = first.api()
        trigger = [{"id": "post-login", "version": "v3"}]
        body = {"name": "deny", "code": DENY, "supported_triggers": trigger, "runtime": "node22"}
        action = api.send("POST", "/api/v2/actions/actions", body=body).value
        api.send("POST", f"/api/v2/actions/actions/{action['id']}/deploy", query={"wait": True})
        bindings = [{"ref": {"type": "action_id", "value": action["id"]}}]
        api.send("PATCH", "/api/v2/actions/triggers/post-login/bindings", body={"bindings": bindings})
        outcomes = [first.runtime().invoke("post-login", event) for _ in range(5)]
        kept = outcomes[0].execution_id
        assert api.send("GET", RECORD.format(kept), query=PLAIN).value["kept_because"] == "denials"
        last = [first.runtime().invoke("post-login", event).execution_id for _ in range(3)]
        first.kill()
    with serve(tmp_path, known=first) as second:
        api = second.api()
        assert api.send("GET", RECORD.format(kept), query=PLAIN).value["execution_id"] == kept
        for execution_id in last:
            assert api.send("GET", f"/runtime/v1/executions/{execution_id}").value["decision"] == "deny"
        answers = {answered(api, execution_id) for execution_id in last}
    assert answers <= {"kept", "404 record_lost"}, answers


def answered(api: Api, execution_id: str) -> str:
    try:
        api.send("GET", RECORD.format(execution_id), query=PLAIN)
    except ServiceError as error:
        return f"{error.status} {error.code}"
    return "kept"
