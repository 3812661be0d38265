"""Triggers and bindings."""

from __future__ import annotations

import pytest

from runner.store.database.notices import BINDINGS
from runner.store.generations import generation
from tests.serving.server import Client, Reply, Server
from triggers import all_triggers, get_trigger

RESET = "exports.onExecutePostChallenge = async () => {};"


def by(kind: str, value: str, **fields: object) -> dict[str, object]:
    return {"ref": {"type": kind, "value": value}, **fields}


def patch(client: Client, *bindings: object, trigger: str = "post-login", **headers: str) -> Reply:
    body = {"bindings": list(bindings)}
    return client.call("PATCH", f"/triggers/{trigger}/bindings", body, headers=headers)


def test_the_triggers(client: Client) -> None:
    listed = client.get("/triggers")["triggers"]
    current = {item["id"]: item for item in listed if item["status"] == "CURRENT"}
    assert set(current) >= {trigger.id for trigger in all_triggers()}
    login = current["post-login"]
    assert (login["version"], login["default_runtime"]) == ("v3", "node22")
    assert login["binding_policy"] == "trigger-bound"
    assert login["runtimes"] == ["node18-actions", "node22", "python3"]
    assert login["compatible_triggers"] == [{"id": "post-login", "version": "v2"}]
    old = next(item for item in listed if (item["id"], item["version"]) == ("post-login", "v2"))
    assert (old["status"], old["default_runtime"]) == ("DEPRECATED", "node16")
    assert current["event-stream"]["binding_policy"] == "entity-bound"


def test_full_replacement_with_all_references(client: Client) -> None:
    a, b, _ = (client.deployed(name) for name in ("a", "b", "c"))
    reply = patch(client, by("action_id", a["id"]), by("action_name", "b", display_name="Bee"))
    first = reply.json["bindings"]
    assert [item["action"]["id"] for item in first] == [a["id"], b["id"]]
    assert [item["display_name"] for item in first] == ["a", "Bee"]
    assert {item["trigger_id"] for item in first} == {"post-login"}

    second = patch(client, by("action_name", "c"), by("binding_id", first[1]["id"]), by("action_id", a["id"]))
    now = second.json["bindings"]
    assert [item["action"]["name"] for item in now] == ["c", "b", "a"]
    assert (now[1]["id"], now[1]["display_name"], now[1]["created_at"]) == (
        first[1]["id"],
        "Bee",
        first[1]["created_at"],
    )
    assert now[2]["id"] != first[0]["id"], "an Action by id gets a new binding"
    listed = client.get("/triggers/post-login/bindings", page=0, per_page=50)
    assert listed == {"bindings": now, "total": 3, "per_page": 50}
    assert client.get("/triggers/post-login/bindings", page=1, per_page=100) == {
        "bindings": [],
        "page": 1,
        "per_page": 100,
    }
    assert patch(client).json == {"bindings": []}
    assert client.get("/triggers/post-login/bindings") == {"bindings": [], "per_page": 20}


def test_policy_and_limits(client: Client) -> None:
    a = client.deployed()
    made = patch(
        client, by("action_id", a["id"], fail_policy="fail_open", limits={"wall_ms": 500, "memory_mb": 64})
    ).json["bindings"][0]
    assert (made["fail_policy"], made["limits"]) == ("fail_open", {"wall_ms": 500, "memory_mb": 64})
    again = patch(client, by("action_name", a["name"])).json["bindings"][0]
    assert (again["fail_policy"], again["limits"]) == ("fail_open", {"wall_ms": 500, "memory_mb": 64})
    reset = patch(client, by("binding_id", again["id"], fail_policy=None, limits={})).json["bindings"][0]
    assert not {"fail_policy", "limits"} & set(reset)
    for fields, place in (
        ({"fail_policy": "closed"}, "fail_policy"),
        ({"limits": {"wall_ms": 20_001}}, "$.bindings[0].limits.wall_ms"),
        ({"limits": {"memory_mb": 129}}, "$.bindings[0].limits.memory_mb"),
        ({"limits": {"cpu": 1}}, "cpu"),
        ({"secrets": [{"name": "a", "value": "b"}]}, "secrets"),
    ):
        refused = patch(client, by("action_id", a["id"], **fields))
        assert refused.status == 400
        assert place in refused.json["message"]
    at_the_cap = {"wall_ms": 20_000, "memory_mb": 128}
    assert patch(client, by("action_id", a["id"], limits=at_the_cap)).status == 200


def test_what_cannot_be_bound(client: Client, server: Server) -> None:
    bound = client.deployed("bound")
    before = client.bind(bound)
    draft = client.create("draft")
    foreign = server.client().deployed("foreign")
    other = client.deployed("reset", code=RESET, supported_triggers=[{"id": "password-reset-post-challenge"}])
    for item, place in (
        (by("action_id", draft["id"]), "has no deployed version"),
        (by("action_id", other["id"]), "is for password-reset-post-challenge"),
        (by("action_id", foreign["id"]), "$.bindings[1].ref.value"),
        (by("action_name", "foreign"), "$.bindings[1].ref.value"),
        (by("binding_id", "nothing"), "$.bindings[1].ref.value"),
        (by("action_name", "bound"), "bound twice"),
        (by("name", "bound"), "$.bindings[1].ref.type"),
    ):
        reply = patch(client, by("action_name", "bound"), item)
        assert (reply.status, reply.json["error"]) == (400, "Bad Request")
        assert place in reply.json["message"]
    assert client.get("/triggers/post-login/bindings")["bindings"] == before


def test_as_many_as_the_trigger_takes(client: Client) -> None:
    fields = {"code": RESET, "supported_triggers": [{"id": "password-reset-post-challenge"}]}
    made = [client.deployed(f"r{index}", **fields) for index in range(5)]
    references = [by("action_id", item["id"]) for item in made]
    trigger = "password-reset-post-challenge"
    assert patch(client, *references[:4], trigger=trigger).status == 200
    refused = patch(client, *references, trigger=trigger)
    assert refused.status == 400
    assert "at most 4" in refused.json["message"]
    assert client.get(f"/triggers/{trigger}/bindings")["total"] == 4


@pytest.mark.parametrize("trigger", ["event-stream", "custom-token-exchange", "mcp-tool"])
def test_entity_bound_triggers(client: Client, trigger: str) -> None:
    assert client.get(f"/triggers/{trigger}/bindings") == {"bindings": [], "per_page": 20}
    assert patch(client, trigger=trigger).status == 400


EXPERIMENTAL = ["password-hash-migration", "login-post-identifier", "signup-post-identifier", "mcp-tool"]


@pytest.mark.parametrize("trigger", EXPERIMENTAL)
def test_experimental_triggers_are_tested_and_nothing_more(whole: Server, trigger: str) -> None:
    client = whole.client()
    handler = get_trigger(trigger).execute_handler
    code = (
        f"exports.{handler} = async (event, api) => console.log(Object.keys(api).length, event.tool?.name);"
    )
    action = client.deployed("tried", code=code, supported_triggers=[{"id": trigger, "version": "v1"}])
    tested = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert tested["decision"] == "allow"
    assert tested["logs"][0]["text"].startswith("0 ")
    refused = patch(client, by("action_id", action["id"]), trigger=trigger)
    assert (refused.status, "it is experimental" in refused.json["message"]) == (400, True)
    assert client.get(f"/triggers/{trigger}/bindings") == {"bindings": [], "per_page": 20}
    body = {"event": get_trigger(trigger).example_event, "action_id": action["id"]}
    invoked = client.call("POST", f"//runtime/v1/triggers/{trigger}/invoke", body)
    assert (invoked.status, invoked.json["errorCode"]) == (404, "unknown_trigger")
    assert "experimental" in invoked.json["message"]


def test_unknown_triggers(client: Client) -> None:
    for trigger in ("nothing", "post-login%00", "..%2Fx"):
        assert client.call("GET", f"/triggers/{trigger}/bindings").status == 404


def test_lost_updates_are_refused(client: Client) -> None:
    a = client.deployed()
    tag = client.call("GET", "/triggers/post-login/bindings").headers["ETag"]
    assert patch(client, by("action_id", a["id"]), **{"If-Match": tag}).status == 200
    assert patch(client, **{"If-Match": tag}).status == 412
    assert client.get("/triggers/post-login/bindings")["total"] == 1


def test_caches_are_told(client: Client, server: Server) -> None:
    told: list[tuple[str, str]] = []
    server.service.store.listen(BINDINGS, lambda notice: told.append((notice.tenant, notice.key)))

    def number() -> int:
        with server.service.store.read() as session:
            return generation(session, client.tenant, "post-login")

    action = client.deployed()
    numbers = [number()]
    client.bind(action)
    numbers.append(number())
    client.call("POST", f"/actions/{action['id']}/deploy")
    numbers.append(number())
    client.call("DELETE", f"/actions/{action['id']}", force=True)
    numbers.append(number())
    assert numbers == sorted(set(numbers))
    assert told.count((client.tenant, "post-login")) == 4
