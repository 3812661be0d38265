"""PendingFetches that a guest starts and waits for: their handles, settling, sleeping and giving up."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from sandbox.core import caps
from sandbox.egress.model import Cancel, Egress, EgressError, EgressSession, Outcome
from sandbox.egress.wire import NO_MORE, answer, read_request

MAX_SLEEP_SECONDS: Final = 3600.0


class Operations(Protocol):
    """What a guest may start and wait for. See `HostPort` for each."""

    def start(self, operation: str, arguments: str) -> int: ...

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str: ...

    def cancel(self, handle: int) -> None: ...

    def close(self) -> None: ...


class PendingFetches:
    """The fetches of one execution. Called from the execution's thread; settled from any."""

    def __init__(self, egress: Egress, deadline: float) -> None:
        self._egress = egress
        self._deadline = deadline
        self._session: EgressSession | None = None
        self._changed = threading.Condition()
        self._pending: dict[int, Cancel] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._last = 0

    def start(self, operation: str, arguments: str) -> int:
        """A handle for the new operation, which settles at once when it is refused; 0 when the execution may
        start no more."""
        if self._last >= caps.MAX_FETCHES:
            return NO_MORE
        self._last += 1
        handle = self._last
        with self._changed:
            self._pending[handle] = _nothing
        try:
            if operation != "fetch":
                raise EgressError("method", "the host has no such operation")
            cancel = self._open().start(read_request(arguments), partial(self._settle, handle))
        except EgressError as error:
            self._settle(handle, error)
            return handle
        with self._changed:
            if handle in self._pending:
                self._pending[handle] = cancel
        return handle

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        """See `HostPort.wait_any`. Waits for at most the rest of the execution's time."""
        until = self._deadline
        if timeout_ms is not None:
            until = min(until, time.monotonic() + timeout_ms / 1000)
        wanted = frozenset(handles)
        with self._changed:
            while True:
                settled = self._take(wanted)
                if settled is not None:
                    break
                left = until - time.monotonic()
                if left <= 0 or (timeout_ms is None and not wanted & self._pending.keys()):
                    return ""
                self._changed.wait(min(left, MAX_SLEEP_SECONDS))
        return answer(*settled)

    def cancel(self, handle: int) -> None:
        """Give up one operation; nothing happens when it has settled or never was."""
        with self._changed:
            cancel = self._pending.pop(handle, None)
            self._outcomes.pop(handle, None)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        """Give up everything. Late answers are dropped."""
        with self._changed:
            self._pending.clear()
            self._outcomes.clear()
        if self._session is not None:
            self._session.close()

    def _open(self) -> EgressSession:
        if self._session is None:
            self._session = self._egress.open(self._deadline)
        return self._session

    def _settle(self, handle: int, outcome: Outcome) -> None:
        with self._changed:
            if self._pending.pop(handle, None) is not None:
                self._outcomes[handle] = outcome
                self._changed.notify_all()

    def _take(self, wanted: frozenset[int]) -> tuple[int, Outcome] | None:
        """The first of `wanted` that settled. One that never was settles as an error; one that was
        settled or cancelled before is passed over."""
        for handle in self._outcomes:
            if handle in wanted:
                return handle, self._outcomes.pop(handle)
        for handle in wanted:
            if not 0 < handle <= self._last:
                return handle, EgressError("limit", "there is no such operation")
        return None


def _nothing() -> None:
    return None
