"""A draft run on a recorded event: the api is answered live, the world as the journal has it.

Unlike a replay, another program may call other things in another order, so each answer is the best match:
the date as it was read, randomness of the same size in order, and the recorded answer to the same request.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from sandbox.core.caps import Limits
from sandbox.egress.model import (
    Cancel,
    EgressError,
    EgressSession,
    FetchRequest,
    FetchResponse,
    Outcome,
    Settle,
)
from sandbox.egress.wire import read_error, read_request
from sandbox.port.interface import ApiHost
from sandbox.port.journal import Journal
from sandbox.port.live import Clock, LivePort

_USED_UP: Final = "The recorded execution made no such request"


def shadow_port(journal: Journal, api: ApiHost, limits: Limits) -> LivePort:
    """A port for one shadow run. Its own journal holds what the draft did."""
    clock = Clock(wall=_recorded_time(journal))
    return LivePort(api, _RecordedEgress(journal), limits, clock=clock, entropy=_recorded_entropy(journal))


def _recorded_time(journal: Journal) -> Callable[[], float]:
    """The recorded readings in order, in seconds; after the last one time goes on from it."""
    readings = [e.result["ms"] for e in journal.entries if e.operation == "wall" for _ in range(e.repeat)]
    recorded = iter(readings)
    last = readings[-1] if readings else time.time() * 1000
    went_on: float | None = None

    def read() -> float:
        nonlocal went_on
        reading = next(recorded, None)
        if reading is not None:
            return float(reading) / 1000
        went_on = time.monotonic() if went_on is None else went_on
        return float(last) / 1000 + time.monotonic() - went_on

    return read


def _recorded_entropy(journal: Journal) -> Callable[[int], bytes]:
    """The recorded draws of a size in order, then fresh ones."""
    draws: dict[int, deque[bytes]] = {}
    for entry in journal.entries:
        if entry.operation == "random":
            drawn = base64.b64decode(entry.result["base64"])
            draws.setdefault(entry.arguments["count"], deque()).append(drawn)

    def draw(count: int) -> bytes:
        recorded = draws.get(count)
        return recorded.popleft() if recorded else os.urandom(count)

    return draw


class _RecordedEgress:
    """Answers each request as the same one was answered: by equal method, URL and body first, then by
    equal method and URL. An answer that was used is used again only when no other fits."""

    def __init__(self, journal: Journal) -> None:
        self._answers = list(_recorded_answers(journal))
        self._used: set[int] = set()

    def open(self, deadline: float) -> EgressSession:  # noqa: ARG002 - nothing waits
        return self

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        settle(self._find(request))
        return lambda: None

    def close(self) -> None:
        return None

    def _find(self, request: FetchRequest) -> Outcome:
        same = [n for n, (asked, _) in enumerate(self._answers) if _target(asked) == _target(request)]
        if not same:
            return EgressError("no-record", f"{_USED_UP}: {request.method} {request.url}.")
        best = min(same, key=lambda n: (n in self._used, self._answers[n][0].body != request.body, n))
        self._used.add(best)
        return self._answers[best][1]


def _recorded_answers(journal: Journal) -> Iterator[tuple[FetchRequest, Outcome]]:
    """Requests that were answered, in the order in which they were made."""
    answers = {}
    for entry in journal.entries:
        if entry.operation == "wait" and entry.result["answer"]:
            answer = json.loads(entry.result["answer"])
            answers[answer["id"]] = answer
    for entry in journal.entries:
        answer = answers.get(entry.result.get("handle")) if entry.operation == "start" else None
        if answer is not None and entry.arguments["operation"] == "fetch":
            try:
                yield read_request(entry.arguments["arguments"]), _outcome(answer)
            except EgressError:
                continue  # a request that was refused as such is refused again by the same check


def _outcome(answer: dict[str, Any]) -> Outcome:
    if "error" in answer:
        return read_error(answer["error"])
    ok = answer["ok"]
    return FetchResponse(
        status=ok["status"],
        status_text=ok["statusText"],
        url=ok["url"],
        redirected=ok["redirected"],
        headers=tuple((name, value) for name, value in ok["headers"]),
        body=base64.b64decode(ok["body"]),
    )


def _target(request: FetchRequest) -> tuple[str, str]:
    return request.method.upper(), request.url
