"""A whole service that records every login, and logins on it."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import pytest

from runner.store.sealed.sealing import KeyRing
from tests.databases import migrated_database
from tests.serving.server import Client, Server, running, settings_for
from triggers import get_trigger

_SECONDS = 60.0


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def recording(
    request: pytest.FixtureRequest, quiet: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a worker process, on each database."""
    folder = tmp_path_factory.mktemp("recording")
    changes = {}
    if request.param == "postgres":
        changes["database_url"] = migrated_database()
        KeyRing.create(folder / "keys.json")
    with running(settings_for(folder, record_policy="all", **changes), whole=True) as server:
        yield server


def login(client: Client, user: str, *roles: str, email: str = "") -> dict[str, Any]:
    """One login; the outcome."""
    event = copy.deepcopy(get_trigger("post-login").example_event)
    event["user"]["user_id"] = user
    event["user"]["email"] = email or f"{user.replace('|', '.')}@example.com"
    event["authorization"] = {"roles": list(roles)}
    reply = client.call("POST", "//runtime/v1/triggers/post-login/invoke", {"event": event})
    assert reply.status == 200, reply
    outcome: dict[str, Any] = reply.json
    return outcome


def on_record(server: Server, client: Client, count: int) -> None:
    """Wait until so many logins of the client's tenant are on record."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = list(server.service.records.recent(client.tenant, "post-login", count + 1))
        if len(found) >= count:
            assert len(found) == count
            return
        time.sleep(0.05)
    raise AssertionError("the logins were not recorded in time")


def finished(client: Client, action: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """A shadow once it has ended."""
    path = f"/actions/{action['id']}/shadows"
    reply = client.call("POST", path, body)
    assert reply.status == 202, reply
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        shadow: dict[str, Any] = client.get(f"{path}/{reply.json['id']}")
        if shadow["state"] not in ("queued", "running"):
            return shadow
        time.sleep(0.05)
    raise AssertionError(f"the shadow did not end in time: {shadow}")


def edit(client: Client, action: dict[str, Any], body: str) -> None:
    """Change the draft's handler, and wait for its build."""
    code = f"exports.onExecutePostLogin = async (event, api) => {{\n{body}\n}};\n"
    reply = client.call("PATCH", f"/actions/{action['id']}", {"code": code})
    assert reply.status == 200, reply
    assert client.settled(action["id"])["status"] == "built"
