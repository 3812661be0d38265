"""A stand-in for the services that packages talk to: a real HTTP server on loopback, for every host.

The requests of an Action take the product's own HTTP client; only their address is changed on the way, so
that `https://api.vendor.example/x` arrives here, with the address that was asked for in a header.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.egress.model import Cancel, EgressSession, FetchRequest, FetchResponse, Outcome, Settle

_ASKED = "x-asked-url"
_TEST = "x-asked-in-test"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived. Header names are in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body as a posted form."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What a route answers: `json` or `text`, packed with gzip when asked to."""

    json: Any = None
    text: str | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    packed: bool = False


Route = Callable[[Asked], Answer] | Answer


class Site:
    """Answers by method and address, without the query. What it has no route for is 404."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Route] = {}
        self.asked: list[Asked] = []
        self._test = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                site._answer(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._root = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._egress = HttpEgress(EgressPolicy(allow_private=True))

    def on(self, method: str, url: str, route: Route | None = None, **answer: Any) -> Site:
        """Answer `method` at `url` by `route`, or with `Answer(**answer)`."""
        self.routes[method, url] = Answer(**answer) if route is None else route
        return self

    def reset(self) -> None:
        """For the next test. Requests that an Action of the last one did not wait for may still arrive; they
        are none of its business."""
        self._test += 1
        self.routes.clear()
        self.asked.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return _Detour(self._egress.open(deadline), self._root, str(self._test))

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        url = _original(headers.pop(_ASKED, ""), handler.path)
        test = headers.pop(_TEST, "")
        asked = Asked(handler.command, url, headers, body)
        if test == str(self._test):
            self.asked.append(asked)
        route = self.routes.get(
            (asked.method, url.partition("?")[0]), Answer({"error": "no route"}, status=404)
        )
        answer = route(asked) if callable(route) else route
        _write(handler, answer)


def _original(asked: str, path: str) -> str:
    """The address before the detour; after a redirect the header is still the first hop's."""
    first = urlsplit(asked)
    return f"{first.scheme}://{first.netloc}{path}"


def _write(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    data = answer.text.encode() if answer.text is not None else json.dumps(answer.json).encode()
    if answer.status in (204, 304):
        data = b""
    sent = dict(answer.headers)
    kind = "text/plain; charset=utf-8" if answer.text is not None else "application/json"
    sent.setdefault("content-type", kind)
    if answer.packed:
        data = gzip.compress(data)
        sent["content-encoding"] = "gzip"
    handler.send_response(answer.status)
    for name, value in sent.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(data)


class _Detour:
    """An egress session whose requests all go to one server."""

    def __init__(self, inner: EgressSession, root: str, test: str) -> None:
        self._inner = inner
        self._root = root
        self._test = test

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        asked = urlsplit(request.url)
        path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")

        def settled(outcome: Outcome) -> None:
            if isinstance(outcome, FetchResponse):
                outcome = replace(outcome, url=request.url)
            settle(outcome)

        usual = {"https": ":443", "http": ":80"}[asked.scheme]
        url = f"{asked.scheme}://{asked.netloc.removesuffix(usual)}{path}"
        headers = (*request.headers, (_ASKED, url), (_TEST, self._test))
        return self._inner.start(replace(request, url=self._root + path, headers=headers), settled)

    def close(self) -> None:
        self._inner.close()
