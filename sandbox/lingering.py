"""Requests that a handler sent and did not wait for: they get a while after its end."""

from __future__ import annotations

import time

from sandbox.caps import LINGER_MS
from sandbox.egress.wire import handle_of
from sandbox.port import HostPort


def linger(port: HostPort, handles: set[int], deadline: float) -> None:
    """Wait until the operations behind `handles` have settled, at most `LINGER_MS` and until `deadline`
    (monotonic seconds). Their answers reach nobody."""
    until = min(deadline, time.monotonic() + LINGER_MS / 1000)
    while handles and (left := until - time.monotonic()) > 0:
        answer = port.wait_any(sorted(handles), left * 1000)
        if not answer:
            return
        handles.discard(handle_of(answer))
