"""Doubles for the far side of a port: an api that records what it is asked, and a settable clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.core.caps import Limits
from sandbox.egress.model import Egress
from sandbox.egress.none import NoEgress
from sandbox.port.interface import ApiReply
from sandbox.port.live import Clock, LivePort


class FakeApi:
    """Records calls; answers `{"recorded": True}` unless told otherwise per path."""

    def __init__(self, **replies: ApiReply | Callable[[list[Any]], ApiReply]) -> None:
        self.calls: list[tuple[str, list[Any]]] = []
        self._replies = {path.replace("__", "."): reply for path, reply in replies.items()}

    def call(self, path: str, arguments: list[Any]) -> ApiReply:
        self.calls.append((path, arguments))
        reply = self._replies.get(path, {"recorded": True})
        return reply(arguments) if callable(reply) else reply


class FakeTime:
    """A clock that moves when told."""

    def __init__(self, wall: float = 1_700_000_000.0) -> None:
        self.now = 0.0
        self._wall = wall

    @property
    def clock(self) -> Clock:
        return Clock(wall=lambda: self._wall + self.now, monotonic=lambda: self.now)


BEGUN: list[LivePort] = []
"""Ports that a test began; conftest ends them, as a run would."""


def live(
    api: FakeApi | None = None,
    *,
    egress: Egress | None = None,
    limits: Limits | None = None,
    seconds: float = 5.0,
    clock: Clock | None = None,
) -> LivePort:
    """A live port that has begun and ends in `seconds`."""
    port = LivePort(api or FakeApi(), egress or NoEgress(), limits or Limits(), clock=clock or Clock())
    port.begin(time.monotonic() + seconds)
    BEGUN.append(port)
    return port
