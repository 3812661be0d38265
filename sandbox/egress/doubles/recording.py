"""Keeps what requests were answered with, as stubs for later runs (docs/testing.md, "Stubbed requests")."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.egress.model import (
    Cancel,
    Egress,
    EgressError,
    EgressSession,
    FetchRequest,
    FetchResponse,
    Outcome,
    Settle,
)
from sandbox.egress.narrowing import NarrowableEgress, narrowed
from sandbox.egress.policy.allow import AllowRule

_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-encoding", "content-length", "date", "keep-alive", "transfer-encoding"}
)
"""Headers that say how an answer came, and not what it is; its body is kept inflated."""


@dataclass
class RecordingEgress:
    """Passes requests on to `egress`, and keeps what came of each. Shared by the executions of a run."""

    egress: Egress
    _kept: list[tuple[FetchRequest, Outcome]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, deadline: float) -> EgressSession:
        """See `Egress.open`."""
        return _RecordingSession(self.egress.open(deadline), self)

    def narrowed(self, allow: tuple[AllowRule, ...]) -> Egress:
        """See `NarrowableEgress.narrowed`; keeps into the same list."""
        return RecordingEgress(narrowed(self.egress, allow), self._kept, self._lock)

    def keep(self, request: FetchRequest, outcome: Outcome) -> None:
        """Note what came of a request."""
        with self._lock:
            self._kept.append((request, outcome))

    def stubs(self) -> list[dict[str, Any]]:
        """The answers so far in the order of their end, as `parse_stubs` reads them. Of several answers to
        the same request each but the last is for one time only. No request header is in them."""
        with self._lock:
            kept = list(self._kept)
        made = [_stub(request, outcome) for request, outcome in kept]
        for at, stub in enumerate(made):
            if any(_asks(later) == _asks(stub) for later in made[at + 1 :]):
                stub["times"] = 1
        return made


_CHECK: type[NarrowableEgress] = RecordingEgress


@dataclass(frozen=True, slots=True)
class _RecordingSession:
    session: EgressSession
    egress: RecordingEgress

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        def kept(outcome: Outcome) -> None:
            self.egress.keep(request, outcome)
            settle(outcome)

        return self.session.start(request, kept)

    def close(self) -> None:
        self.session.close()


def _asks(stub: Mapping[str, Any]) -> tuple[Any, ...]:
    return stub["url_exact"], stub["method"], json.dumps(stub.get("body"), sort_keys=True)


def _stub(request: FetchRequest, outcome: Outcome) -> dict[str, Any]:
    stub: dict[str, Any] = {"url_exact": request.url, "method": request.method.upper()}
    body = _sent(request)
    if body is not None:
        stub["body"] = body
    if isinstance(outcome, EgressError):
        return stub | {"error": outcome.rule}
    return stub | {"answer": _answer(outcome)}


def _sent(request: FetchRequest) -> dict[str, Any] | None:
    """The part of a request that decides its answer; a form with files has another boundary each time."""
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    if not request.body or kind.lower().startswith("multipart/"):
        return None
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return None
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text}


def _answer(response: FetchResponse) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        if name.lower() not in _OF_THE_CONNECTION:
            headers.setdefault(name.lower(), []).append(value)
    named = {name: values[0] if len(values) == 1 else values for name, values in headers.items()}
    return {"status": response.status, "headers": named} | _content(response.body)


def _content(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
