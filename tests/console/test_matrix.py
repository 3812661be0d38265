"""Every route through a session: it does what its scopes allow, and nothing else (threat-model P1, P2, T3).

The rows come from the app's own route table, so a new route is in here at once.
"""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import update

from runner.console import open_paths
from runner.console.links import new_link
from runner.http.auth.scopes import ALL_SCOPES, OPERATE
from runner.http.routing import api_routes, declared_scopes
from runner.server.app import create_app
from runner.store.tables.columns import named_id
from runner.store.tables.console import SessionRow
from tests.console.browser import Browser
from tests.serving.server import Server
from tools.openapi import whole as description

OPEN = {"/oauth/token", "/health", "/ready", *open_paths()}
STREAMS = ("/runtime/v1/logs/stream",)
SOME = {
    "trigger_id": "post-login",
    "other_id": "1",
    "user_id": "auth0|nobody",
    "profile_id": named_id("tep"),
    "stream_id": named_id("est"),
    "hook_id": named_id("hok"),
}


def routes(app: object) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (method, route.path, tuple(declared_scopes(route.dependant)))
        for route in api_routes(app.routes)  # type: ignore[attr-defined]
        for method in sorted(route.methods or ())
        if route.path not in OPEN
    ]


def described() -> list[tuple[str, str]]:
    """Method and path of every route, before there is an app."""
    return [
        (method.upper(), path)
        for path, item in description()["paths"].items()
        for method in item
        if path not in OPEN
    ]


@pytest.fixture(scope="module")
def session(whole: Server) -> tuple[Browser, Server, str]:
    """A browser whose session's scopes the tests change."""
    tenant = whole.client().tenant
    with whole.service.store.begin() as opened:
        link = new_link(opened, whole.service.settings, tenant)
    browser = Browser(whole.url)
    browser.call("POST", "/console/api/sign-in/link", {"token": link.partition("#link=")[2]})
    shown = browser.call("GET", "/console/api/session").json
    return browser, whole, shown["id"]


def give(server: Server, session_id: str, scopes: list[str]) -> None:
    with server.service.store.begin() as opened:
        opened.execute(update(SessionRow).where(SessionRow.id == session_id).values(scopes=scopes))


@pytest.mark.parametrize(("method", "path"), described())
def test_a_session_does_what_its_scopes_allow(
    session: tuple[Browser, Server, str], method: str, path: str
) -> None:
    browser, server, session_id = session
    (scopes,) = [found for verb, route, found in routes(server.app) if (verb, plain(route)) == (method, path)]
    target = re.sub(r"\{(\w+)\}", lambda found: SOME.get(found[1], str(uuid.uuid4())), path)
    give(server, session_id, [scope for scope in (*ALL_SCOPES, OPERATE) if scope not in scopes])
    without = browser.call(method, target, None if method == "GET" else {})
    assert (without.status, without.json["errorCode"]) == (403, "insufficient_scope")
    if path in STREAMS:  # these do not end
        return
    give(server, session_id, list(scopes))
    granted = browser.call(method, target, None if method == "GET" else {})
    assert granted.status not in (401, 403, 405), granted
    assert granted.status < 500, granted
    if method not in ("GET", "HEAD"):
        browser.site = "cross-site"
        try:
            elsewhere = browser.call(method, target, {})
        finally:
            browser.site = "same-origin"
        assert (elsewhere.status, elsewhere.json["errorCode"]) == (403, "cross_site")


def plain(path: str) -> str:
    return path.replace(":path}", "}")


def test_every_route_of_the_app_is_in_here(whole: Server) -> None:
    app = create_app(whole.service, whole.app.state.plane)
    assert sorted((method, plain(path)) for method, path, _ in routes(app)) == sorted(described())
