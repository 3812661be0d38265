"""Actions over HTTP (reference/management-api.md sections 2-4 and 6)."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.serving.server import HANDLER, Client, Server, running, settings_for
from triggers import get_trigger

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_an_action_from_create_to_bound(client: Client) -> None:
    reply = client.call(
        "POST",
        "/actions",
        {
            "name": "greet",
            "supported_triggers": [{"id": "post-login", "version": "v3"}],
            "code": HANDLER,
            "secrets": [{"name": "KEY", "value": "s3cret-value"}],
        },
    )
    assert reply.status == 201
    made = reply.json
    assert list(made) == [
        *("id", "name", "supported_triggers", "created_at", "updated_at", "code", "dependencies", "runtime"),
        *("status", "secrets", "all_changes_deployed"),
    ]
    assert UUID.fullmatch(made["id"])
    assert MOMENT.fullmatch(made["created_at"])
    assert made["status"] == "pending"
    assert made["runtime"] == "node22"
    assert made["code"] == HANDLER
    assert made["secrets"] == [{"name": "KEY", "updated_at": made["secrets"][0]["updated_at"]}]
    assert made["all_changes_deployed"] is False

    built = client.settled(made["id"])
    assert (built["status"], bool(MOMENT.fullmatch(built["built_at"]))) == ("built", True)

    version = client.call("POST", f"/actions/{made['id']}/deploy")
    assert version.status == 200
    assert (version.json["number"], version.json["status"], version.json["deployed"]) == (1, "built", True)
    assert version.json["action"]["id"] == made["id"]
    assert version.json["secrets"][0]["name"] == "KEY"

    now = client.get(f"/actions/{made['id']}")
    assert now["all_changes_deployed"] is True
    assert now["deployed_version"]["deployed"] is True
    assert now["deployed_version"]["code"] == HANDLER
    assert not {"action", "action_id"} & set(now["deployed_version"])
    assert now["current_version"]["status"] == "BUILT"

    bindings = client.bind(now)
    assert [item["display_name"] for item in bindings] == ["greet"]
    assert "code" not in bindings[0]["action"]
    assert "s3cret-value" not in str([reply.json, built, version.json, now, bindings])


def test_the_draft_is_apart_from_what_is_deployed(client: Client) -> None:
    action = client.deployed(code=HANDLER)
    changed = client.call("PATCH", f"/actions/{action['id']}", {"code": HANDLER + "// 2\n"})
    assert changed.status == 200
    assert (changed.json["status"], changed.json["all_changes_deployed"]) == ("pending", False)
    assert changed.json["code"] == HANDLER + "// 2\n"
    assert changed.json["deployed_version"]["code"] == HANDLER
    client.settled(action["id"])
    assert client.call("POST", f"/actions/{action['id']}/deploy").json["number"] == 2


def test_what_is_not_sent_stays(client: Client) -> None:
    action = client.create(runtime="node18-actions", secrets=[{"name": "A", "value": "1"}])
    changed = client.call("PATCH", f"/actions/{action['id']}", {"name": "other name"}).json
    assert (changed["runtime"], changed["code"], len(changed["secrets"])) == ("node18-actions", HANDLER, 1)
    cleared = client.call("PATCH", f"/actions/{action['id']}", {"secrets": []}).json
    assert cleared["secrets"] == []


def test_a_secret_without_value_keeps_the_stored_one(client: Client, server: Server) -> None:
    code = """exports.onExecutePostLogin = async ({ secrets }, api) => {
      api.idToken.setCustomClaim('v', secrets.A + secrets.B);
    };"""
    action = client.create(code=code, secrets=[{"name": "A", "value": "one"}, {"name": "B", "value": "two"}])
    reply = client.call(
        "PATCH", f"/actions/{action['id']}", {"secrets": [{"name": "A"}, {"name": "B", "value": "three"}]}
    )
    assert reply.status == 200
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert "onethree" in str(ran["effects"])
    unknown = client.call("PATCH", f"/actions/{action['id']}", {"secrets": [{"name": "C"}]})
    assert unknown.status == 400
    assert "$.secrets[0]" in unknown.json["message"]
    assert {item["name"] for item in client.get(f"/actions/{action['id']}")["secrets"]} == {"A", "B"}


def test_deploy_needs_a_built_draft(client: Client) -> None:
    action = client.create(code="exports.onExecutePostLogin = async (event, api) => {\n  const x = ;\n};\n")
    assert action["status"] == "failed"
    assert "action" in action["errors"][0]["msg"]
    assert ":2:13" in action["errors"][0]["msg"]
    queries: list[dict[str, Any]] = [{}, {"wait": True}]
    for query in queries:
        reply = client.call("POST", f"/actions/{action['id']}/deploy", **query)
        assert (reply.status, reply.json["error"]) == (400, "Bad Request")
        assert "must be in the 'built' state" in reply.json["message"]


def test_deploy_can_wait_for_the_build(client: Client) -> None:
    action = client.create(built=False)
    reply = client.call("POST", f"/actions/{action['id']}/deploy", wait=True)
    assert (reply.status, reply.json["number"]) == (200, 1)
    client.bind(action)


def test_create_can_deploy_at_once(client: Client) -> None:
    action = client.create(built=False, deploy=True)
    deadline = time.monotonic() + 30
    while "deployed_version" not in client.get(f"/actions/{action['id']}") and time.monotonic() < deadline:
        time.sleep(0.02)
    now = client.get(f"/actions/{action['id']}")
    assert (now["deployed_version"]["number"], now["all_changes_deployed"]) == (1, True)


def test_python(client: Client) -> None:
    code = "async def on_execute_post_login(event, api):\n    api.id_token.set_custom_claim('a', 1)\n"
    action = client.create(runtime="python3", code=code)
    assert (action["status"], action["runtime"]) == ("built", "python3")
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert ran["decision"] == "allow"


def test_the_default_code_builds(client: Client) -> None:
    for runtime in ("node22", "python3"):
        body = {
            "name": f"default {runtime}",
            "supported_triggers": [{"id": "post-login"}],
            "runtime": runtime,
        }
        made = client.call("POST", "/actions", body).json
        assert client.settled(made["id"])["status"] == "built"
        assert made["supported_triggers"] == [{"id": "post-login", "version": "v3"}]


def test_pages(client: Client) -> None:
    assert client.get("/actions", page=0, per_page=50) == {"actions": [], "per_page": 50}
    ids = [client.create(f"a{index}", built=False)["id"] for index in range(3)]
    first = client.get("/actions", per_page=2)
    assert ([item["id"] for item in first["actions"]], first["total"], "page" in first) == (ids[:2], 3, False)
    second = client.get("/actions", page=1, per_page=2)
    assert ([item["id"] for item in second["actions"]], second["page"]) == (ids[2:], 1)
    assert client.get("/actions", page=2, per_page=2) == {"actions": [], "page": 2, "per_page": 2}
    assert client.get("/actions")["per_page"] == 20


def test_filters(client: Client) -> None:
    plain = client.create("plain")
    live = client.deployed("live %_' \"x")
    other: dict[str, Any] = {"supported_triggers": [{"id": "credentials-exchange"}]}
    exchange = client.create(
        "exchange", code="exports.onExecuteCredentialsExchange = async () => {};", **other
    )

    def ids(**query: object) -> set[str]:
        return {item["id"] for item in client.get("/actions", **query)["actions"]}

    assert ids(actionName="live %25_' \"x") == {live["id"]}
    assert ids(actionName="live %25") == set()
    assert ids(triggerId="credentials-exchange") == {exchange["id"]}
    assert ids(deployed=True) == {live["id"]}
    assert ids(deployed=False) == {plain["id"], exchange["id"]}
    assert ids(installed=True) == set()
    assert len(ids(installed=False)) == 3
    refused = client.call("GET", "/actions", include_totals=True)
    assert refused.status == 400
    assert "Additional properties not allowed: include_totals" in refused.json["message"]


def test_names_are_unique(client: Client, server: Server) -> None:
    first = client.create("same", built=False)
    body = {"name": "same", "supported_triggers": [{"id": "post-login"}]}
    assert client.call("POST", "/actions", body).status == 409
    second = client.create("another", built=False)
    assert client.call("PATCH", f"/actions/{second['id']}", {"name": "same"}).status == 409
    assert client.get(f"/actions/{first['id']}")["name"] == "same"
    assert server.client().create("same", built=False)["name"] == "same"


def test_delete(client: Client) -> None:
    action = client.deployed()
    client.bind(action)
    refused = client.call("DELETE", f"/actions/{action['id']}")
    assert (refused.status, refused.json["error"]) == (409, "Conflict")
    gone = client.call("DELETE", f"/actions/{action['id']}", force=True)
    assert (gone.status, gone.json) == (204, None)
    assert client.get("/triggers/post-login/bindings") == {"bindings": [], "per_page": 20}
    missing = client.call("GET", f"/actions/{action['id']}")
    assert missing.status == 404
    assert missing.json == {"statusCode": 404, "error": "Not Found", "message": "That action does not exist."}


def test_lost_updates_are_refused(client: Client) -> None:
    action = client.create()
    tag = client.call("GET", f"/actions/{action['id']}").headers["ETag"]
    path = f"/actions/{action['id']}"
    first = client.call("PATCH", path, {"name": "mine"}, headers={"If-Match": tag})
    assert first.status == 200
    second = client.call("PATCH", path, {"name": "theirs"}, headers={"If-Match": tag})
    assert (second.status, second.json["error"]) == (412, "Precondition Failed")
    assert client.get(path)["name"] == "mine"
    assert client.call("PATCH", path, {}, headers={"If-Match": first.headers["ETag"]}).status == 200
    assert client.call("DELETE", path, headers={"If-Match": tag}).status == 412


@pytest.mark.parametrize("trigger", ["post-login", "credentials-exchange"])
def test_an_incompatible_trigger_change_is_refused(client: Client, trigger: str) -> None:
    action = client.deployed()
    body = {"supported_triggers": [{"id": trigger}]}
    reply = client.call("PATCH", f"/actions/{action['id']}", body)
    assert reply.status == (200 if trigger == "post-login" else 400)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "name"),
        ({"name": "x"}, "supported_triggers"),
        ({"name": 1, "supported_triggers": [{"id": "post-login"}]}, "$.name"),
        ({"name": " ", "supported_triggers": [{"id": "post-login"}]}, "$.name"),
        ({"name": "x" * 256, "supported_triggers": [{"id": "post-login"}]}, "$.name"),
        ({"name": "x", "supported_triggers": []}, "$.supported_triggers"),
        ({"name": "x", "supported_triggers": [{"id": "post-logon"}]}, "$.supported_triggers[0].id"),
        ({"name": "x", "supported_triggers": [{"id": "mcp-tools"}]}, "$.supported_triggers[0].id"),
        ({"name": "x", "supported_triggers": [{"id": "post-login", "version": "v1"}]}, "version"),
        ({"name": "x", "supported_triggers": [{"id": "post-login"}], "status": "built"}, "status"),
        ({"name": "x", "supported_triggers": [{"id": "post-login"}], "tenant_id": "y"}, "tenant_id"),
        ({"name": "x", "supported_triggers": [{"id": "post-login"}], "runtime": "node99"}, "$.runtime"),
        ({"name": "x", "supported_triggers": [{"id": "post-login"}], "code": None}, "$.code"),
        ({"name": "x", "supported_triggers": [{"id": "post-login"}], "code": "ä" * 50_001}, "$.code"),
        (
            {
                "name": "x",
                "supported_triggers": [{"id": "post-login"}],
                "secrets": [{"name": "a", "value": 1}],
            },
            "$.secrets[0].value",
        ),
        (
            {
                "name": "x",
                "supported_triggers": [{"id": "post-login"}],
                "secrets": [{"name": "a", "value": "1"}] * 2,
            },
            "$.secrets",
        ),
        (
            {"name": "x", "supported_triggers": [{"id": "post-login"}], "dependencies": [{"name": "../x"}]},
            "$.dependencies",
        ),
        (
            {"name": "x", "supported_triggers": [{"id": "post-login"}], "modules": [{"module_id": "x"}]},
            "$.modules[0]",
        ),
        (
            {"name": "x", "supported_triggers": [{"id": "post-login"}], "egress": [{"host": "*"}]},
            "$.egress[0]",
        ),
    ],
)
def test_wrong_bodies(client: Client, body: object, place: str) -> None:
    reply = client.call("POST", "/actions", body)
    assert (reply.status, reply.json["error"], reply.json["errorCode"]) == (
        400,
        "Bad Request",
        "invalid_body",
    )
    assert reply.json["message"].startswith("Payload validation error:")
    assert place in reply.json["message"]
    assert client.get("/actions")["actions"] == []


def test_the_cap_on_code_is_what_it_says(client: Client) -> None:
    body = {"name": "x", "supported_triggers": [{"id": "post-login"}]}
    assert client.call("POST", "/actions", {**body, "code": "/" * 100_001}).status == 400
    assert client.call("POST", "/actions", {**body, "code": "/" * 100_000}).status == 201


def test_a_draft_that_is_sent_what_it_has_stays_as_it_is(client: Client) -> None:
    """So that tools which send everything each time make no versions of nothing."""
    action = client.deployed(secrets=[{"name": "KEY", "value": "one"}])
    path = f"/actions/{action['id']}"
    there = client.get(path)
    for same in (
        {"secrets": [{"name": "KEY", "value": "one"}]},
        {"secrets": [{"name": "KEY"}]},
        {"code": there["code"], "runtime": there["runtime"], "modules": [], "secrets": [{"name": "KEY"}]},
    ):
        reply = client.call("PATCH", path, same)
        assert (reply.status, reply.json["status"]) == (200, "built")
        assert reply.json["all_changes_deployed"] is True
    others: tuple[dict[str, Any], ...] = (
        {"supported_triggers": [{"id": "post-login", "version": "v2"}], "secrets": [{"name": "KEY"}]},
        {"secrets": [{"name": "KEY", "value": "two"}]},
        {"secrets": [{"name": "KEY"}, {"name": "MORE", "value": "1"}]},
        {"secrets": []},
        {"code": there["code"] + "// more"},
        {"dependencies": []},
    )
    for other in others:
        reply = client.call("PATCH", path, other)
        assert (reply.status, reply.json["all_changes_deployed"]) == (200, False), other
        client.settled(action["id"])
        assert client.call("POST", f"{path}/deploy").status == 200


def test_the_cap_on_code_is_a_setting(tmp_path: Path) -> None:
    """Up to that, an Action is built by a worker and runs."""
    with running(settings_for(tmp_path, max_source_bytes=150_000), whole=True) as server:
        client = server.client()
        body = {"name": "x", "supported_triggers": [{"id": "post-login"}]}
        reply = client.call("POST", "/actions", {**body, "code": "/" * 150_001})
        assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")
        assert reply.json["message"] == (
            "Payload validation error: 'the source has 150001 bytes in UTF-8; the service takes 150000, "
            "as its setting max_source_bytes says' at $.code."
        )
        action = client.deployed(code=HANDLER.ljust(150_000, "/"))
        reply = client.call("PATCH", f"/actions/{action['id']}", {"code": "ä" * 75_001})
        assert (reply.status, "has 150002 bytes" in reply.json["message"]) == (400, True)
        client.bind(action)
        event = {"event": get_trigger("post-login").example_event}
        outcome = client.call("POST", "//runtime/v1/triggers/post-login/invoke", event).json
        assert outcome["actions"][0]["failure"] is None, outcome
