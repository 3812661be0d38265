"""The short way to `invoke` and `resume` refuses as the routes of the framework do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from runner.http.errors import install_error_handlers
from runner.runtime.fast_routes import FastRoutes
from runner.runtime.routes import router
from runner.server.app import App
from tests.serving.server import Client, Reply, Server

INVOKE = "//runtime/v1/triggers/post-login/invoke"
RESUME = "//runtime/v1/resume"


@pytest.fixture(scope="module")
def tenant(whole: Server) -> Client:
    return whole.client()


def both(client: Client, method: str = "POST", **given: object) -> tuple[Reply, Reply]:
    """What each of the two answers to the same request."""
    invoked, resumed = (client.call(method, path, **given) for path in (INVOKE, RESUME))  # type: ignore[arg-type]
    return invoked, resumed


@pytest.mark.parametrize("raw", [b"", b"null", b"  ", b"[1]", b'"x"', b"3", b"{", b"\xff", b'{"a":1,"a":2}'])
def test_bodies_that_are_no_object_are_refused_alike(tenant: Client, raw: bytes) -> None:
    invoked, resumed = both(tenant, raw=raw)
    assert (invoked.status, invoked.json) == (resumed.status, resumed.json)
    assert invoked.status == 400
    assert invoked.json["errorCode"] == "invalid_body"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"raw": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"raw": b"{}", "headers": {"Content-Encoding": "gzip"}}, 415),
        ({"raw": b"{}", "headers": {"Authorization": ""}}, 401),
        ({"raw": b"{}", "headers": {"Authorization": "Bearer x.y.z"}}, 401),
        ({"raw": b"{}", "headers": {"traceparent": "0" * 129}}, 400),
        ({"raw": b"{}", "surprise": "1"}, 400),
        ({"raw": b" " * 5_000_000}, 413),
    ],
)
def test_other_faults_are_refused_alike(tenant: Client, given: dict[str, Any], status: int) -> None:
    invoked, resumed = both(tenant, **given)
    assert (invoked.status, resumed.status) == (status, status)
    if "traceparent" not in str(given):  # what the two lack in the body differs
        assert invoked.json == resumed.json


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_refused_alike(tenant: Client, method: str) -> None:
    invoked, resumed = both(tenant, method=method)
    assert (invoked.status, invoked.json) == (resumed.status, resumed.json)
    assert invoked.status == 405
    assert invoked.headers["Allow"] == "POST"


def test_a_missing_scope_is_named(whole: Server, tenant: Client) -> None:
    reader = whole.client(tenant.tenant, ["read:logs"])
    invoked, resumed = both(reader, raw=b"{}")
    assert (invoked.status, invoked.json) == (resumed.status, resumed.json)
    assert invoked.json["errorCode"] == "insufficient_scope"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'Missing required property: event' at $.event."),
        ({"event": 3}, "'Expected type object but found type integer' at $.event."),
        ({"event": {}, "odd": 1}, "'Additional properties not allowed: odd' at $.odd."),
        ({"event": {}, "action_id": ""}, "at $.action_id."),
        ({"event": {}, "executed_rules": ["r"] * 101}, "at $.executed_rules."),
    ],
)
def test_a_bad_property_is_named_with_its_place(
    tenant: Client, body: dict[str, object], message: str
) -> None:
    reply = tenant.call("POST", INVOKE, body)
    assert reply.status == 400
    assert reply.json["message"].startswith("Payload validation error: ")
    assert reply.json["message"].endswith(message)


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_out_of_bounds_is_refused(tenant: Client, key: str) -> None:
    reply = tenant.call("POST", INVOKE, {"event": {}}, headers={"Idempotency-Key": key})
    assert reply.status == 400
    assert reply.json["errorCode"] == "invalid_header"
    assert "$.Idempotency-Key" in reply.json["message"]


@pytest.mark.parametrize("path", [INVOKE + "/", INVOKE.replace("post-login", ""), INVOKE + "/x"])
def test_only_its_own_path_is_taken(tenant: Client, path: str) -> None:
    assert tenant.call("POST", path, {"event": {}}).status == 404


def test_an_answer_has_the_headers_of_every_answer(tenant: Client) -> None:
    reply = tenant.call("POST", INVOKE.replace("post-login", "post%2Dlogin"), {"event": {}})
    assert reply.status == 400  # the empty event; the id was understood
    assert "event" in reply.json["message"]
    for name in ("X-Request-Id", "X-RateLimit-Remaining", "X-Content-Type-Options"):
        assert reply.headers[name]


async def ask(app: App, path: str, body: bytes, headers: dict[str, str], query: str) -> tuple[int, Any]:
    """What an app answers a request with."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    await app(scope, receive, send)
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))


@pytest.fixture(scope="module")
def apps(whole: Server) -> tuple[App, App]:
    """The same routes: one without the short way, one with it."""
    found = App(), App()
    for app in found:
        app.state.service, app.state.runtime = whole.app.state.service, whole.app.state.runtime
        install_error_handlers(app)
        app.include_router(router)
    fast = FastRoutes()
    found[1].shortcuts = ((fast.takes, fast),)
    return found


@pytest.mark.parametrize(
    ("path", "body", "headers", "query"),
    [
        (INVOKE, b"{}", {}, ""),
        (INVOKE, b'{"event": 3}', {}, ""),
        (INVOKE, b'{"event": {}, "odd": 1}', {}, ""),
        (INVOKE, b'{"event": {}}', {"Idempotency-Key": ""}, ""),
        (INVOKE, b'{"event": {}}', {"traceparent": "0" * 129}, ""),
        (INVOKE, b'{"event": {}}', {}, "surprise=1"),
        (INVOKE, b'{"event": {}}', {"Authorization": "Bearer x.y.z"}, ""),
        (INVOKE, b"null", {}, ""),
        (INVOKE, b"{", {}, ""),
        (RESUME, b"{}", {}, ""),
        (RESUME, b'{"handle": 3}', {}, ""),
        (RESUME, b'{"handle": "abx_none"}', {}, ""),
        (RESUME, b'{"handle": "abx_none", "odd": 1}', {}, ""),
        (RESUME, b'{"handle": "abx_none"}', {"Idempotency-Key": "k" * 256}, ""),
        (RESUME, b'{"handle": "abx_none"}', {}, "surprise=1"),
        (RESUME, b'{"handle": "abx_none"}', {"Authorization": ""}, ""),
        (RESUME, b"[1]", {}, ""),
    ],
)
def test_the_route_itself_refuses_the_same(
    apps: tuple[App, App], tenant: Client, path: str, body: bytes, headers: dict[str, str], query: str
) -> None:
    """Where nobody takes the short way, the route answers."""
    sent = {"Authorization": f"Bearer {tenant.token}", **headers}
    long, short = (asyncio.run(ask(app, path.removeprefix("/"), body, sent, query)) for app in apps)
    assert long == short
    assert long[0] in (400, 401, 404)
