"""What the OpenAPI says is what the service does: one story through every operation, and schemathesis on both
APIs with a bounded budget."""

from __future__ import annotations

import copy
import time
import uuid
from typing import Any

import pytest
import schemathesis
import urllib3
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select, update

from runner.http.routing import check_routes
from runner.store.tables.entities import EventDeliveryRow
from runner.store.tables.runs import JobRow
from tests.drawn import examples
from tests.http.test_matrix import nothing
from tests.serving.conformance import check_answer, document, seen, successes
from tests.serving.entities import STREAMS, create, stream_action, stream_body
from tests.serving.server import Client, Server
from tools.openapi import DOCS, documents
from triggers import get_trigger

BUDGET = 3
"""Requests for each operation."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ASK = """
exports.onExecutePostLogin = async (event, api) => {
  console.log("asking", event.secrets.KEY.length);
  api.redirect.sendUserTo("https://quay.example/ask");
};
exports.onContinuePostLogin = async (event, api) => { api.access.deny("no"); };
"""
THROWS = "exports.onExecutePostChangePassword = async (event, api) => { throw new Error('down'); };"


def invoke(client: Client, trigger: str) -> Any:
    event = get_trigger(trigger).example_event
    return client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", {"event": event})


def modules(client: Client) -> dict[str, Any]:
    """A module with two versions, the first of them in its draft again."""
    secrets = [{"name": "SALT", "value": "v"}]
    module = client.call(
        "POST", "/modules", {"name": "tools", "code": "exports.a = 1;", "secrets": secrets, "publish": True}
    ).json
    path = f"/modules/{module['id']}"
    client.call("PATCH", path, {"code": "exports.a = 2;"})
    client.call("POST", f"{path}/versions")
    first = client.get(f"{path}/versions")["versions"][-1]
    client.get(f"{path}/versions/{first['id']}")
    client.call("POST", f"{path}/rollback", {"module_version_id": first["id"]})
    client.get("/modules")
    client.get("/modules", page=1, per_page=1)
    found: dict[str, Any] = client.get(path)
    return found


def actions(client: Client, module: dict[str, Any]) -> dict[str, Any]:
    """An Action with everything, deployed twice and bound."""
    version = module["latest_version"]["id"]
    action = client.deployed(
        code=ASK,
        secrets=[{"name": "KEY", "value": "hush-hush"}],
        modules=[{"module_id": module["id"], "module_version_id": version}],
        egress=[{"host": "quay.example", "methods": ["GET"]}],
    )
    path = f"/actions/{action['id']}"
    client.call("PATCH", path, {"code": ASK + "// more\n"})
    client.settled(action["id"])
    client.call("POST", f"{path}/test", {"payload": {}})
    client.call("POST", f"{path}/deploy", wait=True)
    client.call("POST", f"{path}/versions/1/deploy", {"update_draft": True})
    client.get(f"{path}/versions", per_page=2)
    client.get(f"{path}/versions", page=9)
    client.get(f"{path}/versions/2")
    client.get(f"{path}/versions/1/diff/draft")
    client.get(f"{path}/versions/1/diff/2")
    binding = {
        "ref": {"type": "action_id", "value": action["id"]},
        "fail_policy": "last_good",
        "limits": {"wall_ms": 900},
    }
    client.call("PATCH", "/triggers/post-login/bindings", {"bindings": [binding]})
    client.get("/triggers/post-login/bindings")
    client.get(f"/modules/{module['id']}/actions")
    client.get("/actions")
    return action


def shadows(client: Client) -> None:
    action = client.deployed()
    path = f"/actions/{action['id']}/shadows"
    body = {"candidate": {"draft": True}, "ignore": [{"cause": "log", "owner": "ann", "until": "2999-01-01"}]}
    shadow = client.call("POST", path, body).json
    client.get(path)
    client.get(f"{path}/{shadow['id']}")
    client.get(f"{path}/{shadow['id']}/differences", cause="claim")
    client.call("DELETE", f"{path}/{shadow['id']}")
    client.call(
        "PUT", "/lockout", {"rules": [{"role": "admin"}, {"where": {"user.app_metadata.owner": True}}]}
    )
    client.get("/lockout")
    client.call("DELETE", "/lockout")


def rollouts(client: Client) -> None:
    action = client.deployed()
    path = f"/actions/{action['id']}/rollouts"
    body = {
        "stages": [{"canary": {"percent": 5, "events": 200}}, {"promote": True}],
        "cohorts": {"staff": 100, "partners": {"percent": 50, "who": [{"email": "*@quay.example"}]}},
        "guards": {"failed": {}, "denied": {"max_ratio": 2}, "suspended": {}, "cost": {}, "new_hosts": {}},
        "lockout": [{"role": "admin"}, {"where": {"user.app_metadata.owner": True}}],
    }
    client.call("POST", f"/actions/{action['id']}/deploy")
    for names in (("pause", "resume", "abort"), ("promote",)):
        rollout = client.call("POST", path, body).json
        for name in names:
            client.get(f"{path}/{rollout['id']}")
            client.get(f"{path}/{rollout['id']}/differences")
            client.call("POST", f"{path}/{rollout['id']}/{name}")
    client.get(path)
    client.get(path, page=1, per_page=1)
    (*_, entry) = client.get("//api/v2/logs", q="type:actions_rollout")
    client.get(f"//api/v2/logs/{entry['log_id']}")


def executions(client: Client) -> None:
    suspended = invoke(client, "post-login").json
    client.get(f"/executions/{suspended['execution_id']}")
    client.get(f"//runtime/v1/executions/{suspended['execution_id']}")
    request = {
        **get_trigger("post-login").example_event["request"],
        "query": {"state": suspended["suspension"]["state"]},
    }
    resumed = client.call(
        "POST", "//runtime/v1/resume", {"handle": suspended["suspension"]["handle"], "request": request}
    )
    assert resumed.json["decision"] == "deny", resumed
    record = client.get(f"//runtime/v1/executions/{suspended['execution_id']}/record", reason="to see it")
    assert [leg["number"] for leg in record["legs"]] == [1, 2]
    client.call("POST", f"/executions/{suspended['execution_id']}/replay", {})
    client.call("DELETE", "//runtime/v1/subjects/auth0|nobody")
    client.get("//runtime/v1/executions", decision="deny")


def done(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("//runtime/v1/jobs", state="done")["jobs"]
    return found


def dead_letter(server: Server, client: Client) -> None:
    """A job that is done, and dead by decree: attempts take seconds."""
    trigger = "post-change-password"
    supported = [{"id": trigger, "version": "v2"}]
    client.bind(client.deployed(code=THROWS, supported_triggers=supported), trigger=trigger)
    assert invoke(client, trigger).status == 202
    deadline = time.monotonic() + 60
    while not (found := [job for job in done(client) if job["kind"] == "flow"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with server.service.store.begin() as session:
        mine = (JobRow.tenant_id == client.tenant, JobRow.id == found[0]["id"])
        session.execute(update(JobRow).where(*mine).values(state="dead", last_error="down"))
    assert client.get("//runtime/v1/jobs")["jobs"][0]["last_error"] == "down"
    client.get(f"//runtime/v1/executions/{found[0]['execution_id']}")
    client.call("POST", f"//runtime/v1/jobs/{found[0]['id']}/rerun")


def profiles(client: Client) -> None:
    code = "exports.onExecuteCustomTokenExchange = async (event, api) => {};"
    supported = [{"id": "custom-token-exchange", "version": "v1"}]
    action = client.deployed(code=code, supported_triggers=supported)
    fields = {
        "subject_token_type": "urn:quay:legacy",
        "action_id": action["id"],
        "type": "custom_authentication",
    }
    profile = client.call("POST", "//api/v2/token-exchange-profiles", {"name": "legacy", **fields}).json
    path = f"//api/v2/token-exchange-profiles/{profile['id']}"
    client.get("//api/v2/token-exchange-profiles")
    client.get(path)
    client.call("PATCH", path, {"name": "older"})
    client.call("DELETE", path)


def streams(server: Server, client: Client) -> None:
    """With a delivery that failed by decree, as in `dead_letter`."""
    stream = create(client, STREAMS, stream_body(stream_action(client)["id"], "user.created"))
    path = f"{STREAMS}/{stream['id']}"
    client.get(STREAMS)
    client.get(path)
    client.call("PATCH", path, {"name": "renamed"})
    sent = client.call("POST", f"{path}/test", {"event_type": "user.created"}).json
    jobs = select(EventDeliveryRow.job_id).where(EventDeliveryRow.event_id == sent["id"])
    for again in (f"/{sent['id']}", ""):
        deadline = time.monotonic() + 60
        while client.get(f"{path}/deliveries/{sent['id']}")["status"] == "pending":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with server.service.store.begin() as session:
            mine = (JobRow.tenant_id == client.tenant, JobRow.id.in_(jobs))
            session.execute(update(JobRow).where(*mine).values(state="dead", last_error="down"))
        assert client.get(f"{path}/deliveries")["deliveries"]
        assert client.call("POST", f"{path}/redeliver{again}", None if again else {}).status == 202
    client.call("DELETE", path)


def providers(client: Client) -> None:
    for channel in ("email", "phone"):
        code = f"exports.onExecuteCustom{channel.capitalize()}Provider = async () => {{}};"
        client.deployed(code=code, supported_triggers=[{"id": f"custom-{channel}-provider"}])
    body = {"name": "custom", "credentials": {}}
    email = "//api/v2/emails/provider"
    client.call("POST", email, {**body, "default_from_address": "harbor@harbor.example"})
    client.get(email)
    client.call("PATCH", email, {"enabled": False, "settings": {}})
    client.call("DELETE", email)
    phones = "//api/v2/branding/phone/providers"
    path = f"{phones}/{client.call('POST', phones, body).json['id']}"
    client.get(phones)
    client.get(path)
    client.call("PATCH", path, {"disabled": True})
    client.call("DELETE", path)


def hooks(client: Client) -> None:
    path = "//api/v2/identity-provider-hooks"
    secrets = [{"value": "a-signing-key"}]
    made = create(client, path, {"provider": "zitadel", "hook": "preuserinfo", "secrets": secrets})
    client.get(path)
    client.get(f"{path}/{made['id']}")
    client.call("PATCH", f"{path}/{made['id']}", {"budget_ms": 2_000})
    client.call("POST", f"{path}/{made['id']}/test", {})
    secret = client.call("POST", f"{path}/{made['id']}/secrets", {"value": "another-signing-key"}).json
    client.call("DELETE", f"{path}/{made['id']}/secrets/{secret['id']}")
    client.call("DELETE", f"{path}/{made['id']}")


def streamed(client: Client) -> None:
    url = f"{client.url}/runtime/v1/logs/stream"
    headers = {"Authorization": f"Bearer {client.token}"}
    answer = urllib3.request("GET", url, headers=headers, preload_content=False, timeout=20)
    first = answer.read1().decode()
    answer.close()
    check_answer("GET", url, answer.status, answer.headers, first)


def test_each_success_is_seen_and_fits(whole: Server) -> None:
    client = whole.client()
    assert client.credentials is not None
    with seen() as found:
        module = modules(client)
        action = actions(client, module)
        rollouts(client)
        shadows(client)
        executions(client)
        dead_letter(whole, client)
        profiles(client)
        streams(whole, client)
        providers(client)
        hooks(client)
        client.get("//api/v2/record-policy")
        client.call("PATCH", "//api/v2/record-policy", {"days": 1})
        streamed(client)
        client.get("/triggers")
        client.get("/triggers/post-login/declarations", language="python")
        (entry, *_) = client.get("//api/v2/logs")
        client.get("//api/v2/logs", include_totals=True)
        client.get(f"//api/v2/logs/{entry['log_id']}")
        client.get("//api/v2/clients")
        client.get("//api/v2/clients", include_totals=True)
        for path in ("//health", "//ready"):
            client.get(path)
        secret = {
            "client_id": client.credentials.client_id,
            "client_secret": client.credentials.client_secret,
        }
        client.call("POST", "//oauth/token", {"grant_type": "client_credentials", **secret})
        client.call("DELETE", f"/actions/{action['id']}", force=True)
        client.call("DELETE", f"/modules/{module['id']}")
    # Those of the console are seen by `tests/console`, with a session.
    assert {item for item in found if item[1] < 300} == {
        item for item in successes() if "/console/" not in item[0]
    }


def with_ids(client: Client) -> dict[str, Any]:
    """The description with parameters that lead to something half of the time."""
    action = client.deployed()
    client.bind(action)
    module = client.call("POST", "/modules", {"name": "m", "code": "", "publish": True}).json
    known = {
        "action_id": action["id"],
        "module_id": module["id"],
        "version_id": action["deployed_version"]["id"],
        "other_id": "draft",
        "execution_id": invoke(client, "post-login").json["execution_id"],
        "trigger_id": "post-login",
    }
    changed = copy.deepcopy(document())
    for path, item in changed["paths"].items():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                value = known.get(parameter["name"])
                if parameter["in"] == "path" and value is not None:
                    value = (
                        module["latest_version"]["id"] if path.endswith("module_id}/{version_id}") else value
                    )
                    parameter["schema"] = {"enum": [value, str(uuid.uuid4())]}
    return changed


@pytest.mark.hypothesis
def test_every_operation(whole: Server) -> None:
    tenant = whole.client()
    schema = schemathesis.openapi.from_dict(with_ids(tenant)).exclude(path="/runtime/v1/logs/stream")
    schema.config.update(base_url=whole.url)
    headers = {"Authorization": f"Bearer {tenant.token}"}
    called: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()

        @examples(BUDGET, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            called[case.operation.label] = called.get(case.operation.label, 0) + 1
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

        call()
    assert len(called) >= 34
    assert sum(called.values()) >= 34 * BUDGET / 2


def test_the_description(whole: Server) -> None:
    served = whole.client().get("//openapi.json")
    assert served["paths"] == document()["paths"]
    assert served["components"] == document()["components"]
    operations = [operation for item in served["paths"].values() for operation in item.values()]
    assert len(operations) >= 34
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        for status, response in operation["responses"].items():
            bodies = [content["schema"] for content in response.get("content", {}).values()]
            empty = status in ("204", "302") or operation["operationId"] == "redeliver_one"
            assert "$ref" in response or bodies or empty, (operation["operationId"], status)
            assert {} not in bodies, (operation["operationId"], status)
        if "security" in operation:
            assert {"400", "401", "403", "429", "500", "503"} <= set(operation["responses"])
        if "requestBody" in operation:
            assert {"408", "413", "415"} <= set(operation["responses"])
        if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
            assert "404" in operation["responses"]
    assert "HTTPValidationError" not in str(served)


def test_a_route_that_does_not_say_what_it_answers_does_not_start() -> None:
    app = FastAPI()
    app.get("/silent")(nothing)
    with pytest.raises(RuntimeError, match=r"/silent declares no response_model"):
        check_routes(app, frozenset({"/silent"}))


def test_the_published_descriptions_are_current() -> None:
    """`python -m tools.openapi` renews them."""
    for name, text in documents().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, name
