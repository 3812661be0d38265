"""The console's page and its files: `/console`, what is below it, and `/`, which leads browsers there.

Every address below `/console` that is no file answers the page, which finds its view itself. Each answer has
a nonce of its own for style elements: the page's text has `__CSP_NONCE__` in its place, in
`<meta name="csp-nonce" content="__CSP_NONCE__">`, where scripts read it.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import structlog
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from runner.console import bundle
from runner.http.errors import error_response
from sandbox.core.setup_error import SetUpError

_log: Final = structlog.get_logger("actionbox.console")
_HOME: Final = "/console"
_API: Final = "/console/api/"
_ASSETS: Final = "/console/assets/"
_NONCE: Final = "__CSP_NONCE__"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; "
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "require-trusted-types-for 'script'"
)
_SECURITY: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""Of the files that a bundle may have; others are not served."""
_SMALL: Final = 1_024
"""Bytes that are not worth packing."""
_ABSENT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>actionbox</title></head>
<body><h1>The console is not built</h1>
<p>Run <code>actionbox images</code> on the machine of the service, then load this page again.</p>
</body></html>
"""


@dataclass(frozen=True)
class _Route:
    """What the log calls these requests."""

    path: str


_PAGE: Final = _Route("/console/{view}")
_FILE: Final = _Route("/console/assets/{file}")
_ROOT: Final = _Route("/")


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    packed: bytes | None
    kind: str
    tag: str


class ConsolePages:
    """An ASGI app for the requests that it `takes`, and no others."""

    def __init__(self, find: Callable[[], bundle.Files | None] = bundle.find) -> None:
        """`find`: the bundle, asked until there is one."""
        self._find = find
        self._lock = threading.Lock()
        self._page: str | None = None
        self._files: Mapping[str, _File] = {}

    def takes(self, scope: Scope) -> bool:
        """Whether the request is for the console, but for its API; or a browser's for `/`."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if path == "/":
            return scope["method"] in ("GET", "HEAD") and _wants_page(scope)
        return path == _HOME or (path.startswith(_HOME + "/") and not path.startswith(_API))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (await self._response(Request(scope, receive)))(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        path: str = request.scope["path"]
        request.scope["route"] = _FILE if path.startswith(_ASSETS) else _ROOT if path == "/" else _PAGE
        if request.method not in ("GET", "HEAD"):
            return error_response(405, "This path does not take that method.", headers={"Allow": "GET, HEAD"})
        if path == "/":
            return Response(status_code=302, headers={"Location": _HOME, **_headers("")})
        if self._page is None:
            await run_in_threadpool(self._load)
        if path.startswith(_ASSETS):
            return self._asset(request, path.removeprefix(_HOME + "/"))
        nonce = secrets.token_urlsafe(18)
        if self._page is None:
            return Response(_ABSENT, 503, _headers(nonce), "text/html; charset=utf-8")
        text = self._page.replace(_NONCE, nonce)
        return Response(text, 200, _headers(nonce), "text/html; charset=utf-8")

    def _asset(self, request: Request, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            return error_response(404, "There is no such file of the console.", headers=_headers(""))
        # Names hold a digest of the content, as the build makes them.
        headers = {
            **_headers(""),
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": file.tag,
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        content = file.content
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", "").lower():
            content, headers["Content-Encoding"] = file.packed, "gzip"
        return Response(content, 200, headers, file.kind)

    def _load(self) -> None:
        with self._lock:
            if self._page is not None:
                return
            try:
                found = self._find()
            except (OSError, SetUpError) as error:
                _log.error("the console cannot be read", reason=str(error))
                found = None
            if found is None:
                return
            self._files = {
                name: _file(content, _KINDS[PurePosixPath(name).suffix])
                for name, content in found.items()
                if PurePosixPath(name).suffix in _KINDS
            }
            self._page = found[bundle.PAGE].decode("utf-8")


def _file(content: bytes, kind: str) -> _File:
    packed = gzip.compress(content, 9, mtime=0) if len(content) > _SMALL else None
    if packed is not None and len(packed) >= len(content):
        packed = None
    return _File(content, packed, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _headers(nonce: str) -> dict[str, str]:
    """Of every answer; `nonce`: "" where no style is taken but files."""
    policy = _POLICY.format(nonce=nonce) if nonce else _POLICY.replace(" 'nonce-{nonce}'", "")
    return {"Content-Security-Policy": policy, **_SECURITY}


def _wants_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
