"""Answers to outbound requests for tests: nothing reaches the network, and what was asked is kept."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

from sandbox.egress.model import (
    Cancel,
    EgressError,
    EgressSession,
    FetchRequest,
    FetchResponse,
    Headers,
    Outcome,
    Settle,
)
from sandbox.egress.policy.redirects import Hop, first_hop, next_hop

UrlMatch = Literal["exact", "prefix", "glob", "regex"]
ANY_BODY: Final = object()

_REASONS: Final = {
    "timeout": "The request took longer than its timeout.",
    "dns": "The host name could not be resolved.",
    "connect": "The connection could not be made.",
    "tls": "The server's certificate could not be verified.",
    "private-address": "The host is not reachable: its address is private.",
    "too-large": "The response is larger than the sandbox takes.",
}


@dataclass(frozen=True, slots=True)
class Stub:
    """One answer, and the requests it is for.

    Attributes:
        url: what the request's URL must match, read as `match` says: `exact`, `prefix`, `glob` (`*` stands
            for any run of characters) or `regex` (found anywhere).
        method: required method; None for any.
        text: required request body as text; None for any.
        json: required request body as JSON value; left out for any.
        status, headers, body: the answer.
        delay_ms: how long the answer takes, in real time.
        error: instead of an answer, the egress rule that the request breaks by.
        times: requests that this stub answers; None for all. Afterwards the next one that fits does.
    """

    url: str
    match: UrlMatch = "glob"
    method: str | None = None
    text: str | None = None
    json: Any = ANY_BODY
    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    delay_ms: float = 0
    error: str | None = None
    times: int | None = None

    def fits(self, hop: Hop, asked: str) -> bool:
        """`hop` is a request for this stub; `asked` is its URL as the Action wrote it."""
        return (
            (self.method is None or self.method.upper() == hop.method.upper())
            and any(self._names(url) for url in (str(hop.url), asked))
            and (self.text is None or self.text.encode() == (hop.body or b""))
            and (self.json is ANY_BODY or _equals_json(self.json, hop.body))
        )

    def __str__(self) -> str:
        return f"{self.method or '*'} {self.url}"

    def _names(self, url: str) -> bool:
        if self.match == "regex":
            return re.search(self.url, url) is not None
        if self.match == "glob":
            pattern = ".*".join(re.escape(part) for part in self.url.split("*"))
            return re.fullmatch(pattern, url, re.DOTALL) is not None
        return url.startswith(self.url) if self.match == "prefix" else url == self.url


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that was made: header names in lower case, the body as sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass
class StubEgress:
    """Answers from `stubs`, the first that fits. Shared by the executions of a test case, so that `times`
    counts over all of them. A request that none fits fails with rule `no-stub`."""

    stubs: Sequence[Stub] = ()
    _seen: list[SeenRequest] = field(default_factory=list)
    _used: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> tuple[SeenRequest, ...]:
        """Every request so far, in order, also those that were refused for want of a stub."""
        with self._lock:
            return tuple(self._seen)

    def open(self, deadline: float) -> EgressSession:  # noqa: ARG002 - answers wait no longer than told
        return _StubSession(self)

    def answer(self, request: FetchRequest) -> tuple[Outcome, float]:
        """The answer to `request`, and the seconds until it comes. Follows redirects between stubs."""
        waited = 0.0
        try:
            hop: Hop | None = first_hop(request)
            asked = request.url
            while hop is not None:
                current, stub = hop, self._choose(hop, asked)
                waited += stub.delay_ms / 1000
                if stub.error is not None:
                    message = _REASONS.get(stub.error, f"The request broke ({stub.error}).")
                    raise EgressError(stub.error, message)
                hop = next_hop(current, stub.status, stub.headers)
                asked = ""
        except EgressError as error:
            return error, waited
        return _response(current, stub), waited

    def _choose(self, hop: Hop, asked: str) -> Stub:
        headers = {name.lower(): value for name, value in hop.headers}
        with self._lock:
            self._seen.append(SeenRequest(hop.method, str(hop.url), headers, hop.body or b""))
            for index, stub in enumerate(self.stubs):
                used = self._used.get(index, 0)
                if (stub.times is None or used < stub.times) and stub.fits(hop, asked):
                    self._used[index] = used + 1
                    return stub
        known = "; ".join(str(stub) for stub in self.stubs) or "none is defined"
        raise EgressError("no-stub", f"No stub answers {hop.method} {hop.url}. Stubs: {known}.")


class _StubSession:
    def __init__(self, egress: StubEgress) -> None:
        self._egress = egress
        self._timers: set[threading.Timer] = set()

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        outcome, wait = self._egress.answer(request)
        if request.timeout_ms is not None and wait * 1000 > request.timeout_ms:
            outcome, wait = EgressError("timeout", _REASONS["timeout"]), request.timeout_ms / 1000
        if wait <= 0:
            settle(outcome)
            return lambda: None
        timer = threading.Timer(wait, settle, (outcome,))
        timer.daemon = True
        self._timers.add(timer)
        timer.start()
        return timer.cancel

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()


def _response(hop: Hop, stub: Stub) -> FetchResponse:
    return FetchResponse(
        status=stub.status,
        status_text=status_text(stub.status),
        url=str(hop.url),
        redirected=hop.redirected,
        headers=tuple((name.lower(), value) for name, value in stub.headers),
        body=b"" if hop.method == "HEAD" or stub.status in (204, 304) else stub.body,
    )


def status_text(status: int) -> str:
    """The usual reason phrase, or nothing for an unusual status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _equals_json(wanted: Any, body: bytes | None) -> bool:
    try:
        return bool(json.loads(body or b"") == wanted)
    except ValueError:
        return False
