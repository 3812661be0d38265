"""Requests that a handler sent and did not wait for: they get a while after its end."""

from __future__ import annotations

import time

from sandbox.core.caps import LINGER_MS
from sandbox.egress.wire import handle_of
from sandbox.port.interface import HostPort


def until(deadline: float) -> float:
    """The end of a drain that begins now; monotonic seconds, as `deadline` is."""
    return min(deadline, time.monotonic() + LINGER_MS / 1000)


def linger(port: HostPort, handles: set[int], end: float) -> None:
    """Wait until the operations behind `handles` have settled, until `end` at the latest. Their answers reach
    nobody."""
    while handles and (left := end - time.monotonic()) > 0:
        answer = port.wait_any(sorted(handles), left * 1000)
        if not answer:
            return
        handles.discard(handle_of(answer))
