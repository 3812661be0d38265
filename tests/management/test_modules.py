"""Shared modules."""

from __future__ import annotations

from runner.model.caps import MAX_VERSIONS
from runner.store.tables.columns import now
from runner.store.tables.models import ModuleRow, ModuleVersionRow
from runner.store.tables.runs import SuspensionRow
from tests.serving.server import HANDLER, Client, Server, waiting_flow

CODE = "exports.greet = (name) => `hello ${name}`;\n"
USES = """
const { greet } = require("actions:greeter");
exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim("g", greet("you")); };
"""


def module(client: Client, name: str = "greeter", **fields: object) -> dict[str, object]:
    reply = client.call("POST", "/modules", {"name": name, "code": CODE, **fields})
    assert reply.status == 201, reply
    made: dict[str, object] = reply.json
    return made


def published(client: Client, module_id: object) -> dict[str, object]:
    reply = client.call("POST", f"/modules/{module_id}/versions")
    assert reply.status == 200, reply
    version: dict[str, object] = reply.json
    return version


def test_a_module_from_create_to_use(client: Client) -> None:
    made = module(client, secrets=[{"name": "K", "value": "module-secret"}], dependencies=[])
    assert made["all_changes_published"] is False
    assert made["actions_using_module_total"] == 0
    assert "latest_version" not in made
    version = published(client, made["id"])
    assert (version["version_number"], version["code"], version["module_id"]) == (1, CODE, made["id"])
    assert [item["name"] for item in version["secrets"]] == ["K"]  # type: ignore[attr-defined]
    now = client.get(f"/modules/{made['id']}")
    assert (now["all_changes_published"], now["latest_version"]["id"]) == (True, version["id"])

    reference = {"module_id": made["id"], "module_version_id": version["id"]}
    action = client.create(code=USES, modules=[reference])
    assert action["status"] == "built", action
    assert action["modules"] == [{**reference, "module_name": "greeter", "module_version_number": 1}]
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert "hello you" in str(ran["effects"])
    assert client.call("POST", f"/actions/{action['id']}/deploy").json["modules"] == action["modules"]

    users = client.get(f"/modules/{made['id']}/actions")
    assert (users["total"], users["actions"][0]["action_id"]) == (1, action["id"])
    assert users["actions"][0]["module_version_number"] == 1
    assert client.get(f"/modules/{made['id']}")["actions_using_module_total"] == 1
    assert client.call("DELETE", f"/modules/{made['id']}").status == 412
    client.call("DELETE", f"/actions/{action['id']}")
    assert client.call("DELETE", f"/modules/{made['id']}").status == 204
    assert client.call("GET", f"/modules/{made['id']}").status == 404


def test_a_module_by_name_and_number(client: Client) -> None:
    made = module(client, publish=True)
    action = client.create(code=USES, modules=[{"module_name": "greeter", "module_version_number": 1}])
    assert action["modules"][0]["module_id"] == made["id"]


def test_actions_keep_the_version_they_name(client: Client) -> None:
    made = module(client, publish=True)
    action = client.create(code=USES, modules=[{"module_name": "greeter", "module_version_number": 1}])
    client.call("PATCH", f"/modules/{made['id']}", {"code": CODE.replace("hello", "goodbye")})
    published(client, made["id"])
    ran = client.call("POST", f"/actions/{action['id']}/test", {"payload": {}}).json["payload"]
    assert "hello you" in str(ran["effects"])


def test_publish_and_roll_back(client: Client) -> None:
    made = module(client, publish=True)
    assert client.call("POST", f"/modules/{made['id']}/versions").status == 409
    changed = client.call("PATCH", f"/modules/{made['id']}", {"code": "exports.x = 1;"})
    assert (changed.status, changed.json["all_changes_published"]) == (200, False)
    published(client, made["id"])
    listed = client.get(f"/modules/{made['id']}/versions")
    assert [item["version_number"] for item in listed["versions"]] == [2, 1]
    assert client.get(f"/modules/{made['id']}/versions", page=5) == {
        "versions": [],
        "total": 0,
        "page": 5,
        "per_page": 20,
    }
    first = listed["versions"][1]
    assert client.get(f"/modules/{made['id']}/versions/{first['id']}") == first
    back = client.call("POST", f"/modules/{made['id']}/rollback", {"module_version_id": first["id"]})
    assert (back.status, back.json["code"], back.json["all_changes_published"]) == (200, CODE, False)
    assert back.json["latest_version_number"] == 2
    again = client.call("POST", f"/modules/{made['id']}/rollback", {"module_version_id": first["id"]})
    assert again.status == 409


def test_lists(client: Client) -> None:
    assert client.get("/modules") == {"modules": [], "total": 0, "page": 0, "per_page": 100}
    for name in ("a", "b", "c"):
        module(client, name)
    assert [item["name"] for item in client.get("/modules")["modules"]] == ["a", "b", "c"]
    page = client.get("/modules", page=1, per_page=2)
    assert ([item["name"] for item in page["modules"]], page["total"]) == (["c"], 3)
    assert client.get("/modules", page=9, per_page=2)["modules"] == []


def test_what_is_refused(client: Client, server: Server) -> None:
    made = module(client)
    assert client.call("POST", "/modules", {"name": "greeter", "code": ""}).status == 409
    for body, place in (
        ({"name": "x"}, "code"),
        ({"name": "x", "code": "a" * 65_537}, "$.code"),
        ({"name": "x", "code": "a\0"}, "$.code"),
        ({"name": "x", "code": "", "dependencies": [{"name": "axios"}]}, "version"),
        ({"name": "x", "code": "", "secrets": [{"name": "a"}]}, "$.secrets[0]"),
    ):
        reply = client.call("POST", "/modules", body)
        assert (reply.status, reply.json["errorCode"]) == (400, "invalid_body")
        assert place in reply.json["message"]
    assert client.call("PATCH", f"/modules/{made['id']}", {"name": "other"}).status == 400
    foreign = server.client()
    assert foreign.call("GET", f"/modules/{made['id']}").status == 404
    assert foreign.call("POST", f"/modules/{made['id']}/versions").status == 404
    assert client.call("POST", "/modules", {"name": "cap", "code": "a" * 65_536}).status == 201


def test_a_module_that_only_old_versions_use_can_be_deleted(client: Client, server: Server) -> None:
    """As Terraform takes a module away: first out of the Action, then for good. Old versions of an Action
    cannot be deleted, so they must not keep the module for ever."""
    made = module(client, publish=True)
    path = f"/modules/{made['id']}"
    action = client.deployed("shop", code=USES, modules=[{"module_id": made["id"], **newest(client, made)}])
    first = action["deployed_version"]["id"]
    client.call("PATCH", f"/actions/{action['id']}", {"code": HANDLER, "modules": []})
    client.settled(action["id"])
    refused = client.call("DELETE", path)
    assert (refused.status, refused.json["message"]) == (412, "The module is in use by 1 action: shop.")
    assert client.call("POST", f"/actions/{action['id']}/deploy").json["number"] == 2
    with server.service.store.begin() as session:
        session.add(waiting_flow(client, first))
    assert client.call("DELETE", path).status == 412, "a suspended flow goes on with version 1"
    with server.service.store.begin() as session:
        session.get_one(SuspensionRow, f"waiting-{client.tenant}").expires_at = now()
    assert client.call("DELETE", path).status == 204
    old = client.get(f"/actions/{action['id']}/versions/{first}")
    assert [item["module_id"] for item in old["modules"]] == [made["id"]]
    for update_draft in (False, True):
        reply = client.call(
            "POST", f"/actions/{action['id']}/versions/{first}/deploy", {"update_draft": update_draft}
        )
        assert reply.status == 400
        assert reply.json["message"] == (
            f"Version 1 cannot be deployed again: the module {made['id']} that it uses was deleted."
        )
    assert client.get(f"/actions/{action['id']}")["deployed_version"]["number"] == 2


def newest(client: Client, made: dict[str, object]) -> dict[str, object]:
    return {"module_version_id": client.get(f"/modules/{made['id']}")["latest_version"]["id"]}


def test_the_oldest_unused_version_goes(client: Client, server: Server) -> None:
    made = module(client, publish=True)
    client.create(code=USES, modules=[{"module_name": "greeter", "module_version_number": 1}], built=False)
    with server.service.store.begin() as session:
        row = session.get_one(ModuleRow, (client.tenant, made["id"]))
        for number in range(2, MAX_VERSIONS):
            version = ModuleVersionRow(tenant_id=client.tenant, module_id=row.id, number=number, code="")
            session.add(version)
        row.next_number = MAX_VERSIONS

    def publish_once_more() -> list[int]:
        client.call("PATCH", f"/modules/{made['id']}", {"code": CODE})
        published(client, made["id"])
        listed = client.get(f"/modules/{made['id']}/versions", per_page=100)["versions"]
        return [item["version_number"] for item in listed]

    assert publish_once_more() == list(range(MAX_VERSIONS, 0, -1))
    assert publish_once_more() == [*range(MAX_VERSIONS + 1, 2, -1), 1], "an Action uses 1, so 2 goes"
