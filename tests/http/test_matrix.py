"""Every route with no token, somebody else's token, and a token without the scope (threat-model P1, P2, T3).

The rows come from the app's own route table, so a new route is in here at once.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from runner.console import open_paths
from runner.http.auth.scopes import ALL_SCOPES, OPERATE
from runner.http.routing import ApiRoute, api_routes, check_routes, declared_scopes
from runner.server.app import create_app
from runner.store.tables.columns import named_id
from tests.serving.entities import (
    PROFILES,
    STREAMS,
    create,
    exchange_action,
    profile_body,
    stream_action,
    stream_body,
)
from tests.serving.server import Client, Server

HOOKS = "//api/v2/identity-provider-hooks"
PUBLIC = {"/oauth/token", "/health", "/ready", *open_paths()}
ROLLOUT = {"stages": [{"canary": {"percent": 5, "events": 10}}, {"promote": True}]}
SHADOW = {"candidate": {"draft": True}}
HANDLER = "exports.onExecutePostLogin = async (event, api) => {};"


@pytest.fixture(scope="module")
def routes(whole: Server) -> list[tuple[str, str, list[str]]]:
    """Method, path and scopes of every route that needs a token."""
    return [
        (method, route.path, declared_scopes(route.dependant))
        for route in api_routes(whole.app.routes)
        for method in sorted(route.methods or ())
        if route.path not in PUBLIC
    ]


@pytest.fixture(scope="module")
def ids(whole: Server) -> dict[str, str]:
    """What paths hold, all of one tenant."""
    owner = whole.client()
    action = owner.deployed()
    rolled = f"//api/v2/actions/actions/{action['id']}"
    module = owner.call("POST", "/modules", {"name": "m", "code": "", "publish": True}).json
    return {
        "action_id": action["id"],
        "version_id": action["deployed_version"]["id"],
        "other_id": "1",
        "module_id": module["id"],
        "trigger_id": "post-login",
        "execution_id": f"exe_{uuid.uuid4().hex}",
        "job_id": str(uuid.uuid4()),
        "profile_id": create(owner, PROFILES, profile_body(exchange_action(owner)["id"]))["id"],
        "stream_id": create(owner, STREAMS, stream_body(stream_action(owner)["id"]))["id"],
        "event_id": "evt_1",
        "provider_id": phone_provider(owner)["id"],
        "log_id": "1772366400000000-000-e1",
        "hook_id": create(owner, HOOKS, {"provider": "zitadel", "hook": "preuserinfo"})["id"],
        "secret_id": "0",
        "user_id": "auth0|nobody",
        "rollout_id": create(owner, f"{rolled}/rollouts", ROLLOUT)["id"],
        "session_id": named_id("ses"),
        "client_id": uuid.uuid4().hex,
        "shadow_id": owner.call("POST", f"{rolled}/shadows", SHADOW).json["id"],
    }


def phone_provider(owner: Client) -> dict[str, Any]:
    code = "exports.onExecuteCustomPhoneProvider = async () => {};"
    owner.deployed(code=code, supported_triggers=[{"id": "custom-phone-provider"}])
    return create(owner, "//api/v2/branding/phone/providers", {"name": "custom", "credentials": {}})


def filled(path: str, ids: dict[str, str]) -> str:
    if "/modules/" in path:
        ids = {**ids, "version_id": str(uuid.uuid4())}
    return "/" + re.sub(r"\{(\w+)(?::path)?\}", lambda found: ids[found[1]], path)


def test_there_are_routes(routes: list[tuple[str, str, list[str]]]) -> None:
    assert len([path for _, path, _ in routes if path.startswith("/runtime/v1")]) >= 7
    management = [path for _, path, _ in routes if path.startswith("/api/v2/actions")]
    assert len(management) >= 25
    assert all(scopes and set(scopes) <= {*ALL_SCOPES, OPERATE} for _, _, scopes in routes)


def test_no_token(whole: Server, routes: list[tuple[str, str, list[str]]], ids: dict[str, str]) -> None:
    nobody = Client(whole.url, "", "")
    for method, path, _ in routes:
        reply = nobody.call(method, filled(path, ids), raw=b"{not json" if method != "GET" else None)
        assert (reply.status, reply.json["statusCode"], reply.json["error"]) == (401, 401, "Unauthorized"), (
            path
        )
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_each_scope_missing(
    whole: Server, routes: list[tuple[str, str, list[str]]], ids: dict[str, str]
) -> None:
    for method, path, scopes in routes:
        look_alikes = [scope for scope in ALL_SCOPES if scope not in scopes]
        caller = whole.client(scopes=look_alikes)
        reply = caller.call(method, filled(path, ids), raw=b"{not json" if method != "GET" else None)
        assert (reply.status, reply.json["errorCode"]) == (403, "insufficient_scope"), path
        assert reply.json["message"] == f"Insufficient scope, expected any of: {', '.join(scopes)}"


def test_foreign_ids_are_as_absent_ones(
    whole: Server, routes: list[tuple[str, str, list[str]]], ids: dict[str, str]
) -> None:
    foreign = whole.client()
    absent = {name: str(uuid.uuid4()) for name in ids}
    absent |= {
        "trigger_id": "post-login",
        "other_id": "1",
        "profile_id": named_id("tep"),
        "stream_id": named_id("est"),
        "hook_id": named_id("hok"),
    }
    compared = 0
    for method, path, _ in routes:
        if not set(re.findall(r"\{(\w+)\}", path)) - {"trigger_id"}:
            continue
        bodies: dict[str, Any] = {
            "/test": {"event_type": "user.created"} if "stream_id" in path else {"payload": {}},
            "/redeliver": {},
            "/replay": {},
            "/rollback": {"module_version_id": ids["version_id"]},
            "/rollouts": ROLLOUT,
            "/shadows": SHADOW,
        }
        if "hook_id" in path:
            bodies = {"/test": {}, "/secrets": {"value": "a-signing-key"}}
        body = (
            bodies.get(path[path.rindex("/") :], {} if method == "PATCH" else None)
            if method != "GET"
            else None
        )
        theirs, none = (foreign.call(method, filled(path, values), body) for values in (ids, absent))
        assert theirs.status == none.status == 404, (method, path, theirs, none)
        assert theirs.json == none.json
        compared += 1
    assert compared >= 25


def nothing() -> None:
    """An endpoint."""


def test_a_route_without_scope_does_not_start(whole: Server) -> None:
    for prefix, kind in (("/api/v2", ApiRoute), ("", APIRoute)):
        router = APIRouter(prefix=prefix, route_class=kind)
        router.get("/open")(nothing)
        app = create_app(whole.service)
        app.include_router(router)
        with pytest.raises(RuntimeError, match="/open declares no scope"):
            check_routes(app, frozenset(PUBLIC))
