"""So many long requests of one tenant at a time, and of all; further ones are refused rather than parked,
because whoever fills the threads of the service stops everybody else (threat-model P7)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
import anyio.to_thread

from runner.http.errors import ApiError

Result = TypeVar("Result")


class Slots:
    """Counts running calls by tenant; `run` gives them threads of their own."""

    def __init__(self, each: int, everyone: int) -> None:
        self._each = each
        self._everyone = everyone
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._limiter: anyio.CapacityLimiter | None = None

    @contextmanager
    def taken(self, tenant: str) -> Iterator[None]:
        """A slot for the block. Raises `ApiError` 429 when there is none."""
        with self._lock:
            if self._running[tenant] >= self._each or self._running.total() >= self._everyone:
                raise ApiError(
                    429,
                    f"The tenant has {self._running[tenant]} tests running; wait for one to end.",
                    "too_many_requests",
                    headers={"Retry-After": "1"},
                )
            self._running[tenant] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[tenant] -= 1
                if not self._running[tenant]:
                    del self._running[tenant]

    async def run(self, tenant: str, work: Callable[[], Result]) -> Result:
        """`work` in a thread, within a slot. Raises `ApiError` 429, and what `work` raises."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._everyone)
        with self.taken(tenant):
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class InFlight:
    """Counts the requests of each tenant under way: whoever sends slowly, or waits long, holds so many
    connections and no more. For one event loop."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._running: dict[str, int] = {}

    @contextmanager
    def taken(self, tenant: str) -> Iterator[None]:
        """A place for the block. Raises `ApiError` 429 when there is none."""
        running = self._running.get(tenant, 0)
        if running >= self._each:
            raise ApiError(
                429,
                f"The tenant has {running} requests that are not answered yet; wait for one to end.",
                "too_many_requests",
                headers={"Retry-After": "1"},
            )
        self._running[tenant] = running + 1
        try:
            yield
        finally:
            left = self._running[tenant] - 1
            if left:
                self._running[tenant] = left
            else:
                del self._running[tenant]
