"""Requests that carry no proof at all are refused by their bytes, before HTTP's library and the app see them:
each of these two costs more than the whole refusal (`runner.server.transport.connections.Early`).

Only what is plain is refused here: a POST for a known hook with none of the provider's headers of proof
(`Provider.proofs`), or without the place of one in its body (`Provider.body_proof`). The answer is that of
`runner.hooks.receiver`, which takes all the rest.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog

from runner.hooks.metrics import HookMetrics
from runner.hooks.model import PREFIX, ROUTE, Case, Hook, Provider, Result, unsigned
from runner.hooks.providers import PROVIDERS
from runner.http.middleware import ANSWER_HEADERS, request_id_of

_LINE: Final = re.compile(
    rb"POST "
    + PREFIX.encode()
    + rb"[A-Za-z0-9._~-]{1,64}/([a-z0-9-]{1,32}/[A-Za-z0-9._-]{1,64}) HTTP/1\.1\r\n"
)
_REQUEST_ID: Final = re.compile(rb"\r\nx-request-id:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)
_TALLY_SECONDS: Final = 1.0
"""How long requests of a hook are counted for one line of the log: a flood of lines would cost more than the
flood of requests."""
_log: Final = structlog.get_logger("actionbox.access")


@dataclass(slots=True)
class _Place:
    """One hook's refusal, made once. `head` ends where the request's id belongs."""

    name: str
    status: int
    proofs: tuple[bytes, ...]
    body_proof: bytes
    head: bytes
    body: bytes
    count: Callable[[], None]
    waiting: int | None = None


class Unsigned:
    """For one event loop."""

    prefix = b"POST " + PREFIX.encode()

    def __init__(self, metrics: HookMetrics) -> None:
        self._places = {
            f"{provider.name}/{hook.name}".encode(): _place(provider, hook, metrics)
            for provider in PROVIDERS.values()
            for hook in provider.hooks.values()
            if provider.proofs or provider.body_proof
        }

    def __call__(self, head: bytes, body: bytes | None) -> tuple[bytes, bytes] | None:
        """See `Early`. `head` is framed strictly: no blank before a colon, no folded line."""
        found = _LINE.match(head)
        place = None if found is None else self._places.get(found[1])
        if place is None:
            return None
        lowered = head.lower()
        for proof in place.proofs:
            if proof in lowered:
                return None
        if place.body_proof and (body is None or place.body_proof in body):
            return None
        given = _REQUEST_ID.search(head)
        request_id = request_id_of(None if given is None else given[1].decode("latin-1"))
        place.count()
        self._note(place, request_id)
        return place.head + request_id.encode(), place.body

    def _note(self, place: _Place, request_id: str) -> None:
        """The first one is told at once, the others of its second together."""
        if place.waiting is not None:
            place.waiting += 1
            return
        place.waiting = 0
        _tell(place, 1, request_id=request_id)
        asyncio.get_running_loop().call_later(_TALLY_SECONDS, _tell_others, place)


def _tell_others(place: _Place) -> None:
    waiting, place.waiting = place.waiting, None
    if waiting:
        _tell(place, waiting)


def _tell(place: _Place, requests: int, **facts: str) -> None:
    _log.info(
        "unsigned",
        method="POST",
        path=ROUTE,
        status=place.status,
        hook=place.name,
        requests=requests,
        **facts,
    )


def _place(provider: Provider, hook: Hook, metrics: HookMetrics) -> _Place:
    refusal = unsigned()
    answer = provider.response_of(hook, {}, Result(Case.REFUSED, refusal.message, status=refusal.status))
    headers = {**answer.headers, "Content-Length": str(len(answer.body)), **ANSWER_HEADERS}
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{name.lower()}: {value}" for name, value in headers.items()),
        "x-request-id: ",
    ]
    return _Place(
        name=f"{provider.name}/{hook.name}",
        status=answer.status,
        proofs=tuple(f"\r\n{name}:".encode() for name in provider.proofs),
        body_proof=provider.body_proof,
        head="\r\n".join(lines).encode(),
        body=answer.body,
        count=metrics.counter(provider.name, hook.name, Case.REFUSED.value),
    )
