"""Around every request: an id, the access log, headers of all answers, the last guard for faults of ours."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.http.errors import error_response

_log: Final = structlog.get_logger("actionbox.access")
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_NO_TRACE: Final = "0" * 32
ANSWER_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Of every answer that does not say otherwise."""


class RequestContext:
    """Pure ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = Headers(scope=scope)
        request_id = request_id_of(headers.get("x-request-id"))
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["trace_id"] = _trace_id(headers.get("traceparent"))
        started = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-Id"] = request_id
                for name, value in {**ANSWER_HEADERS, **state.get("headers", {})}.items():
                    out.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception as error:
                _log.error("fault", path=_route(scope), exc_info=error)
                if started:
                    raise
                message = f"The service met a fault of its own. Report it with the id {request_id}."
                await error_response(500, message)(scope, receive, send_with_headers)
            finally:
                _log_request(scope, state, started, began)


def _log_request(scope: Scope, state: dict[str, Any], status: int, began: float) -> None:
    principal = state.get("principal")
    facts: dict[str, Any] = {
        "tenant": None if principal is None else principal.tenant,
        "client": None if principal is None else principal.client_id,
        **state.get("log", {}),
    }
    _log.info(
        "request",
        method=scope["method"],
        path=_route(scope),
        status=status,
        ms=round((time.perf_counter() - began) * 1000, 2),
        trace_id=state["trace_id"],
        **facts,
    )


def _route(scope: Scope) -> str:
    """The route's pattern rather than the path: ids are fine, but a path may hold anything."""
    route = scope.get("route")
    return getattr(route, "path", None) or "(no route)"


def request_id_of(given: str | None) -> str:
    """The caller's (a proxy's) id of the request, when it is harmless; else a new one."""
    return given if given is not None and _ID.fullmatch(given) else secrets.token_hex(12)


def _trace_id(traceparent: str | None) -> str | None:
    """Trace id of a W3C `traceparent` header; None when there is none that counts."""
    found = _TRACE.fullmatch(traceparent or "")
    return None if found is None or found[1] == _NO_TRACE else found[1]
