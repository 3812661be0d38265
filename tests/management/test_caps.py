"""Every cap of the Management API, at its value and one above (runner/model/caps.py, reference/limits.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.model import caps
from runner.store.tables.columns import new_id
from runner.store.tables.models import ActionRow, ModuleRow
from sandbox.core.caps import MAX_DEPENDENCIES, MAX_PACKAGE_VERSION
from tests.serving.server import Client, Server, running, settings_for


@pytest.fixture
def client(embedded: Server) -> Client:
    return embedded.client()


def action(**fields: Any) -> dict[str, Any]:
    return {"name": "x", "supported_triggers": [{"id": "post-login"}], **fields}


def secrets(count: int, name: str = "s", value: str = "v") -> list[dict[str, str]]:
    return [{"name": f"{name}{index}", "value": value} for index in range(count)]


def packages(count: int, version: str = "1.0.0") -> list[dict[str, str]]:
    return [{"name": f"p{index}", "version": version} for index in range(count)]


def allow(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"host": f"h{index}.example", **fields} for index in range(count)]


@pytest.mark.parametrize(
    ("path", "at_the_cap", "above"),
    [
        ("/actions", action(name="n" * caps.MAX_ACTION_NAME), action(name="n" * (caps.MAX_ACTION_NAME + 1))),
        (
            "/actions",
            action(secrets=secrets(caps.MAX_SECRETS)),
            action(secrets=secrets(caps.MAX_SECRETS + 1)),
        ),
        (
            "/actions",
            action(secrets=[{"name": "n" * caps.MAX_SECRET_NAME, "value": "v"}]),
            action(secrets=[{"name": "n" * (caps.MAX_SECRET_NAME + 1), "value": "v"}]),
        ),
        (
            "/actions",
            action(secrets=secrets(1, value="v" * caps.MAX_SECRET_VALUE)),
            action(secrets=secrets(1, value="v" * (caps.MAX_SECRET_VALUE + 1))),
        ),
        (
            "/actions",
            action(dependencies=packages(MAX_DEPENDENCIES)),
            action(dependencies=packages(MAX_DEPENDENCIES + 1)),
        ),
        (
            "/actions",
            action(dependencies=packages(1, "1" * MAX_PACKAGE_VERSION)),
            action(dependencies=packages(1, "1" * (MAX_PACKAGE_VERSION + 1))),
        ),
        (
            "/actions",
            action(egress=allow(caps.MAX_ALLOW_RULES)),
            action(egress=allow(caps.MAX_ALLOW_RULES + 1)),
        ),
        (
            "/modules",
            {"name": "n" * 255, "code": "c" * caps.MAX_MODULE_CODE},
            {"name": "n" * 256, "code": ""},
        ),
        (
            "/modules",
            {"name": "m", "code": "", "secrets": [{"name": "n" * caps.MAX_MODULE_SECRET_NAME, "value": ""}]},
            {"name": "m", "code": "", "secrets": [{"name": "n" * 256, "value": ""}]},
        ),
        (
            "/modules",
            {"name": "m", "code": "", "dependencies": packages(1, "1" * caps.MAX_MODULE_PACKAGE_VERSION)},
            {"name": "m", "code": "", "dependencies": packages(1, "1" * 51)},
        ),
    ],
)
def test_bodies(client: Client, path: str, at_the_cap: dict[str, Any], above: dict[str, Any]) -> None:
    refused = client.call("POST", path, above)
    assert (refused.status, refused.json["errorCode"]) == (400, "invalid_body")
    accepted = client.call("POST", path, at_the_cap)
    assert accepted.status == 201, accepted
    assert client.get(path)["total"] == 1


def test_modules_of_one_action(client: Client) -> None:
    references = []
    for index in range(caps.MAX_MODULES_PER_ACTION + 1):
        client.call("POST", "/modules", {"name": f"m{index}", "code": "", "publish": True})
        references.append({"module_name": f"m{index}", "module_version_number": 1})
    assert client.call("POST", "/actions", action(modules=references)).status == 400
    assert client.call("POST", "/actions", action(modules=references[:-1])).status == 201


def test_actions_and_modules_of_one_tenant(client: Client, embedded: Server) -> None:
    with embedded.service.store.begin() as session:
        for index in range(caps.MAX_ACTIONS - 1):
            session.add(
                ActionRow(
                    tenant_id=client.tenant,
                    id=new_id(),
                    name=f"a{index}",
                    trigger_id="post-login",
                    trigger_version="v3",
                    runtime="node22",
                    code="",
                    status="built",
                )
            )
        for index in range(caps.MAX_MODULES - 1):
            session.add(ModuleRow(tenant_id=client.tenant, id=new_id(), name=f"m{index}", code=""))
    for path, body in (("/actions", action()), ("/modules", {"name": "x", "code": ""})):
        assert client.call("POST", path, body).status == 201
        refused = client.call("POST", path, {**body, "name": "y"})
        assert (refused.status, refused.json["errorCode"]) == (400, "too_many_entities")
        assert client.get(path, per_page=1)["total"] == 100


def test_pages(client: Client) -> None:
    assert client.get("/actions", per_page=caps.MAX_PER_PAGE, page=caps.MAX_PAGE)["actions"] == []
    assert client.call("GET", "/actions", per_page=caps.MAX_PER_PAGE + 1).status == 400
    assert client.call("GET", "/actions", page=caps.MAX_PAGE + 1).status == 400


def test_the_most_actions_are_a_setting(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, tenant_actions=2)) as server:
        client = server.client()
        replies = [client.call("POST", "/actions", action(name=name)) for name in "abc"]
    assert [reply.status for reply in replies] == [201, 201, 400]
    assert replies[2].json["errorCode"] == "too_many_entities"
    assert "may have 2" in replies[2].json["message"]
