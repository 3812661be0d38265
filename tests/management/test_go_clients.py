"""Requests of Terraform's provider and of the `auth0` command line, byte for byte as they were recorded from
`actionbox serve`, and what both read back (docs/existing-tools.md names the versions)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from tests.serving.server import Client, Reply, Server

NAME = "tier"
CODE = """exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("k", event.secrets.KEY);
};
"""
GO_CODE = CODE.replace('"', '\\"').replace("\n", "\\n").replace(">", "\\u003e")
"""As Go's encoding/json writes it."""
AGENT = "Terraform-Provider-Auth0/1.38.0 (Go-Auth0-SDK/1.32.1; Terraform-SDK/2.38.1; Terraform/1.15.5)"
AUTH0_CLIENT = "eyJuYW1lIjoiZ28tYXV0aDAiLCJ2ZXJzaW9uIjoiMS4zMy4wIn0="


@dataclass
class GoClient:
    """Sends what go-auth0 sends: a content type only with a body (v3: always), and a line feed after each
    body (v3: none)."""

    client: Client
    agent: str = AGENT

    def send(self, method: str, path: str, body: str = "", *, v3: bool = False) -> Reply:
        headers = {"User-Agent": self.agent, "Auth0-Client": AUTH0_CLIENT, "Accept-Encoding": "gzip"}
        if body or v3:
            headers["Content-Type"] = "application/json"
        raw = (body + ("" if v3 else "\n")).encode() if body else None
        return self.client.call(method, path, raw=raw, headers=headers)

    def made(self, body: str, path: str = "/actions", *, v3: bool = False) -> Any:
        reply = self.send("POST", path, body, v3=v3)
        assert reply.status == 201, reply
        return reply.json


@pytest.fixture
def go(client: Client) -> GoClient:
    return GoClient(client)


def terraform_body(extra: str = "") -> str:
    triggers = '"supported_triggers":[{"id":"post-login","version":"v3"}]'
    return f'{{"name":"{NAME}",{triggers},"code":"{GO_CODE}"{extra}}}'


def terraform_read(action: dict[str, Any]) -> dict[str, Any]:
    """What the resource `auth0_action` keeps of an answer (the provider's flattenAction): a second plan is
    empty only when this equals what was asked for. Dependencies and modules are sets there."""
    deployed = action.get("deployed_version")
    return {
        "name": action["name"],
        "code": action["code"],
        "runtime": {"node18-actions": "node18"}.get(action["runtime"], action["runtime"]),
        "supported_triggers": [(item["id"], item["version"]) for item in action["supported_triggers"]],
        "dependencies": {(item["name"], item["version"]) for item in action["dependencies"]},
        "modules": {
            (item["module_id"], item["module_version_id"], item["module_name"], item["module_version_number"])
            for item in action.get("modules", [])
        },
        "secrets": {item["name"] for item in action["secrets"]},
        "version_id": None if deployed is None else deployed["id"],
    }


def test_terraform_creates_deploys_binds_and_destroys(go: GoClient) -> None:
    extra = (
        ',"dependencies":[],"runtime":"node18-actions"'
        ',"secrets":[{"name":"ANOTHER","value":"terraform-secret-2"},{"name":"KEY","value":"terraform-secret-1"}]'
    )
    action = go.made(terraform_body(extra))
    path = f"/actions/{action['id']}"
    assert go.client.settled(action["id"])["status"] == "built"
    version = go.send("POST", f"{path}/deploy").json
    state = terraform_read(go.send("GET", path).json)
    assert state == {
        "name": NAME,
        "code": CODE,
        "runtime": "node18",
        "supported_triggers": [("post-login", "v3")],
        "dependencies": set(),
        "modules": set(),
        "secrets": {"KEY", "ANOTHER"},
        "version_id": version["id"],
    }
    assert go.send("GET", path).json["deployed_version"]["deployed"] is True, "the provider polls for it"

    bindings = "/triggers/post-login/bindings"
    bound = go.send(
        "PATCH",
        bindings,
        f'{{"bindings":[{{"display_name":"first","ref":{{"type":"action_id","value":"{action["id"]}"}}}}]}}',
    )
    assert bound.status == 200
    page = go.send("GET", f"{bindings}?page=0&per_page=100").json
    assert [(item["action"]["id"], item["display_name"]) for item in page["bindings"]] == [
        (action["id"], "first")
    ]
    last = go.send("GET", f"{bindings}?page=1&per_page=100").json
    assert (last["bindings"], last.get("total", 0)) == ([], 0), "it asks for pages while there is a total"
    assert go.send("DELETE", path).status == 409
    assert go.send("PATCH", bindings, '{"bindings":[]}').json == {"bindings": []}
    assert go.send("DELETE", path).status == 204
    gone = go.send("GET", path)
    assert (gone.status, gone.json["statusCode"], gone.json["error"]) == (404, 404, "Not Found")


def test_terraform_changes_only_what_changed(go: GoClient) -> None:
    """It leaves out what did not change, and sends `[]` for a block that is gone."""
    action = go.made(terraform_body(',"secrets":[{"name":"KEY","value":"terraform-secret-1"}]'))
    path = f"/actions/{action['id']}"
    go.client.settled(action["id"])
    assert go.send("PATCH", path, terraform_body()).json["status"] == "built", "the draft has all of it"
    assert terraform_read(go.client.settled(action["id"]))["secrets"] == {"KEY"}
    go.send("PATCH", path, terraform_body(',"secrets":[],"dependencies":[],"modules":[]'))
    state = terraform_read(go.client.settled(action["id"]))
    assert (state["secrets"], state["dependencies"], state["runtime"]) == (set(), set(), "node22")


def test_terraform_publishes_a_module_and_uses_it(go: GoClient) -> None:
    """go-auth0 v3 sends a content type without a body, and pages until a page is empty."""
    module = go.made('{"name":"shared","code":"exports.n = 1;"}', "/modules", v3=True)
    path = f"/modules/{module['id']}"
    first = go.send("POST", f"{path}/versions", v3=True).json
    assert go.send("PATCH", path, '{"code":"exports.n = 2;"}', v3=True).status == 200
    second = go.send("POST", f"{path}/versions", v3=True).json
    read = go.send("GET", path, v3=True).json
    assert (read["latest_version_number"], read["latest_version"]["id"]) == (2, second["id"])
    assert (read["all_changes_published"], read["dependencies"], read["secrets"]) == (True, [], [])
    pages = [go.send("GET", f"{path}/versions?page={page}&per_page=50", v3=True).json for page in (0, 1)]
    assert [[item["id"] for item in page["versions"]] for page in pages] == [[second["id"], first["id"]], []]
    assert go.send("GET", f"{path}/versions/{first['id']}", v3=True).json["code"] == "exports.n = 1;"

    uses = f'"modules":[{{"module_id":"{module["id"]}","module_version_id":"{second["id"]}"}}]'
    action = go.made(terraform_body(f",{uses}"))
    assert terraform_read(go.client.settled(action["id"]))["modules"] == {
        (module["id"], second["id"], "shared", 2)
    }
    refused = go.send("DELETE", path, v3=True)
    assert (refused.status, refused.json["message"]) == (412, f"The module is in use by 1 action: {NAME}.")
    go.send("PATCH", f"/actions/{action['id']}", terraform_body(',"modules":[]'))
    assert go.send("DELETE", path, v3=True).status == 204


def test_terraform_finds_a_failed_build_and_a_draft_that_is_not_built(go: GoClient) -> None:
    body = terraform_body().replace(GO_CODE, "exports.onExecutePostLogin = async () =\\u003e {")
    action = go.made(body)
    assert go.client.settled(action["id"])["status"] == "failed"
    reply = go.send("POST", f"/actions/{action['id']}/deploy")
    assert (reply.status, reply.json["statusCode"]) == (400, 400)
    assert "must be in the 'built' state" in reply.json["message"]


def test_the_command_line_from_login_to_delete(embedded: Server) -> None:
    """`auth0 login --domain --client-id --client-secret`, then `auth0 actions create … update … delete`
    without `--runtime`: the command line sends an empty runtime then."""
    client = embedded.client()
    assert client.credentials is not None
    basic = f"{client.credentials.client_id}:{client.credentials.client_secret}".encode()
    form = f"audience={client.url.replace(':', '%3A').replace('/', '%2F')}%2Fapi%2Fv2%2F"
    token = Client(client.url, client.tenant, "").call(
        "POST",
        "//oauth/token",
        raw=f"{form}&grant_type=client_credentials".encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(basic).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Go-http-client/1.1",
        },
    )
    assert token.status == 200
    assert {"access_token", "token_type", "expires_in"} <= set(token.json)
    go = GoClient(Client(client.url, client.tenant, token.json["access_token"]), "Auth0 CLI/1.27.2")

    assert go.send("GET", "/actions?per_page=100").json["actions"] == []
    current = [item for item in go.send("GET", "/triggers").json["triggers"] if item["status"] == "CURRENT"]
    assert ("post-login", "v3") in {(item["id"], item["version"]) for item in current}
    triggers = '"supported_triggers":[{"id":"post-login","version":"v3"}]'
    action = go.made(
        f'{{"name":"nocode",{triggers},"code":"{GO_CODE}","dependencies":[],"runtime":"","secrets":[]}}'
    )
    assert (action["runtime"], action["code"]) == ("node22", CODE)
    path = f"/actions/{action['id']}"
    go.client.settled(action["id"])
    changed = go.send("PATCH", path, f'{{"name":"renamed",{triggers},"code":"{GO_CODE}","runtime":""}}').json
    assert (changed["name"], changed["runtime"]) == ("renamed", "node22")
    go.client.settled(action["id"])
    assert go.send("POST", f"{path}/deploy").json["number"] == 1
    assert go.send("DELETE", path).status == 204


def test_what_the_command_line_leaves_empty_changes_nothing(go: GoClient) -> None:
    """`auth0 actions update ID --code …` sends null for the name; `--runtime` not given can be empty text."""
    action = go.made(
        '{"name":"py","supported_triggers":[{"id":"post-login","version":""}],"runtime":"python3"}'
    )
    assert action["supported_triggers"] == [{"id": "post-login", "version": "v3"}]
    body = '{"name":null,"supported_triggers":null,"code":"async def f():\\n  pass","runtime":""}'
    changed = go.send("PATCH", f"/actions/{action['id']}", body).json
    assert (changed["name"], changed["runtime"]) == ("py", "python3")
    assert changed["supported_triggers"] == action["supported_triggers"]
    assert go.send("PATCH", f"/actions/{action['id']}", '{"runtime":"node99"}').status == 400
