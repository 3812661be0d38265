"""An Action that is deleted while a flow waits: the flow goes on as if it were there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from runner.admin.rotation import reseal
from runner.jobs.cleaner import Cleaner
from runner.store.sealed import sealing
from runner.store.sealed.kept_versions import KeptVersionRow
from runner.store.sealed.sealing import KeyRing
from runner.store.tables.columns import now
from runner.store.tables.models import SecretRow
from tests.postgres import new_database
from tests.serving.server import Client, Server, running, settings_for
from triggers import get_trigger

ASK = """
const { sign } = require("actions:signing");
exports.onExecutePostLogin = async (event, api) => {
  api.redirect.sendUserTo("https://consent.example/");
};
exports.onContinuePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/k", sign(event.secrets.KEY));
  if (event.request.query.answer === "again") api.redirect.sendUserTo("https://consent.example/two");
};
"""
LATER = """
exports.onExecutePostLogin = async (event, api) => {
  api.idToken.setCustomClaim("https://x.example/later", event.secrets.LATER);
};
"""
MODULE = "exports.sign = (text) => `${text} signed ${actions.secrets.SIGN}`;\n"
EVENT = get_trigger("post-login").example_event
CLAIMS = {"https://x.example/k": "own signed theirs", "https://x.example/later": "much later"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("deleted")
    changes = {}
    if request.param == "postgresql":
        changes["database_url"] = new_database()
        KeyRing.create(folder / "keys.json")
    with running(settings_for(folder, **changes), whole=True) as found:
        yield found


def bound(client: Client) -> tuple[list[dict[str, Any]], str]:
    """Two bound Actions, and the module that the first one uses."""
    body = {"name": "signing", "code": MODULE, "secrets": [{"name": "SIGN", "value": "theirs"}]}
    module = client.call("POST", "/modules", body)
    assert module.status == 201, module
    version = client.call("POST", f"/modules/{module.json['id']}/versions")
    assert version.status == 200, version
    used = {"module_id": module.json["id"], "module_version_id": version.json["id"]}
    ask = client.deployed(code=ASK, secrets=[{"name": "KEY", "value": "own"}], modules=[used])
    later = client.deployed(code=LATER, secrets=[{"name": "LATER", "value": "much later"}])
    client.bind(ask, later)
    return [ask, later], module.json["id"]


def invoked(client: Client) -> dict[str, Any]:
    reply = client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": EVENT})
    assert reply.status == 200, reply
    return reply.json


def resumed(client: Client, asked: dict[str, Any], answer: str = "yes") -> dict[str, Any]:
    waiting = asked["suspension"]
    request = {**EVENT["request"], "query": {"state": waiting["state"], "answer": answer}}
    body = {"handle": waiting["handle"], "request": request}
    reply = client.call("POST", "//runtime/v1/resume", body)
    assert reply.status == 200, reply
    return reply.json


def delete_all(client: Client, actions: list[dict[str, Any]], module: str) -> None:
    for action in actions:
        assert client.call("DELETE", f"/actions/{action['id']}", force=True).status == 204
    assert client.call("DELETE", f"/modules/{module}").status == 204
    assert client.get("/actions")["actions"] == []


def kept(server: Server, client: Client) -> tuple[int, int]:
    """Rows of versions, and of secrets, that there are of the tenant."""
    with server.service.store.read() as session:
        tenant = client.tenant
        versions = select(func.count()).select_from(KeptVersionRow).where(KeptVersionRow.tenant_id == tenant)
        secrets = select(func.count()).select_from(SecretRow).where(SecretRow.tenant_id == tenant)
        # The tenant's own keys, for its records, stay.
        owners = ("kept", sealing.ACTION, sealing.VERSION, sealing.MODULE, sealing.MODULE_VERSION)
        secrets = secrets.where(SecretRow.owner_kind.in_(owners))
        return session.scalar(versions) or 0, session.scalar(secrets) or 0


def test_a_flow_that_waits_goes_on_with_deleted_actions(server: Server) -> None:
    client = server.client()
    actions, module = bound(client)
    asked = invoked(client)
    delete_all(client, actions, module)
    assert invoked(client)["actions"] == [], "nothing new runs it"
    again = resumed(client, asked, "again")
    assert again["decision"] == "suspended"
    done = resumed(client, again)
    assert (done["decision"], done["effects"]["id_token_claims"]) == ("allow", CLAIMS)
    record = client.get(f"//runtime/v1/executions/{asked['execution_id']}")
    assert {item["action_id"] for item in record["results"]} == {item["id"] for item in actions}


def test_a_flow_that_runs_while_its_action_is_deleted_can_wait_too(server: Server) -> None:
    """It has not said yet that it waits, when its Action goes."""
    client = server.client()
    actions, module = bound(client)
    delete_all(client, actions, module)
    assert kept(server, client) == (2, 2), "the deployed versions, for as long as one may wait"


def test_it_is_sealed_anew_with_the_rest(server: Server) -> None:
    client = server.client()
    actions, module = bound(client)
    asked = invoked(client)
    delete_all(client, actions, module)
    ring = server.service.keys.ring
    assert reseal(server.service.store, ring) == 0
    with server.service.store.read() as session:
        rows = session.scalars(select(SecretRow).where(SecretRow.tenant_id == client.tenant)).all()
        assert all(b"theirs" not in row.sealed and row.key_id == ring.current for row in rows)
    assert resumed(client, asked)["effects"]["id_token_claims"] == CLAIMS


def test_it_goes_when_no_flow_waits_any_more(server: Server) -> None:
    client = server.client()
    actions, module = bound(client)
    asked = invoked(client)
    delete_all(client, actions, module)
    store, hours = server.service.store, timedelta(hours=1)
    Cleaner(store).clean()
    assert kept(server, client) == (2, 2)
    Cleaner(store, clock=lambda: now() + hours / 2).clean()
    assert kept(server, client) == (2, 2)
    with store.begin() as session:
        for row in session.scalars(select(KeptVersionRow).where(KeptVersionRow.tenant_id == client.tenant)):
            row.expires_at = now() - hours
    Cleaner(store).clean()
    assert kept(server, client) == (2, 2), "a flow waits for it, whatever the time says"
    assert resumed(client, asked)["effects"]["id_token_claims"] == CLAIMS
    Cleaner(store, clock=lambda: now() + 2 * hours).clean()
    assert kept(server, client) == (0, 0)


def test_of_other_triggers_nothing_is_kept(server: Server) -> None:
    client = server.client()
    code = "exports.onExecuteCredentialsExchange = async () => {};"
    trigger = [{"id": "credentials-exchange", "version": "v2"}]
    action = client.deployed(
        f"exchange {uuid.uuid4().hex[:6]}",
        code=code,
        supported_triggers=trigger,
        secrets=[{"name": "A", "value": "1"}],
    )
    assert client.call("DELETE", f"/actions/{action['id']}").status == 204
    assert kept(server, client) == (0, 0)
