"""HEAD for every path that takes GET, as RFC 9110 section 9.3.2 has it."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

_STREAMS: Final = frozenset({"/runtime/v1/logs/stream"})
"""Paths whose answer to GET never ends."""


class HeadAsGet:
    """ASGI middleware. The server leaves the body out: it keeps the request as it came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] not in _STREAMS:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
