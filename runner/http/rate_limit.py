"""Token buckets: so many requests a second for each tenant, and a burst above that."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MAX_BUCKETS: Final = 10_000
"""Keys that are remembered; the one that was quiet longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a limit, as its caller is told of it.

    Attributes:
        remaining: requests that could follow at once.
        reset_at: Unix seconds when the bucket is full again, rounded up.
        retry_after: seconds until the next request is let through, at least 1; 0 when this one was.
    """

    limit: int
    remaining: int
    reset_at: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        """As the Management API has them (reference/management-api.md section 7)."""
        named = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }
        return named | ({"Retry-After": str(self.retry_after)} if self.retry_after else {})


class RateLimiter:
    """Buckets by key; safe between threads. Each replica counts for itself."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._rate = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> Allowance:
        """Count a request of `key`; it may go on when `retry_after` is 0."""
        with self._lock:
            left = self._level(key)
            admitted = left >= 1
            left -= 1 if admitted else 0
            self._keep(key, left)
        return Allowance(
            limit=self._burst,
            remaining=int(left),
            reset_at=math.ceil(self._wall() + (self._burst - left) / self._rate),
            retry_after=0 if admitted else max(1, math.ceil((1 - left) / self._rate)),
        )

    def _level(self, key: str) -> float:
        level, at = self._buckets.get(key, (float(self._burst), self._monotonic()))
        return min(float(self._burst), level + (self._monotonic() - at) * self._rate)

    def _keep(self, key: str, level: float) -> None:
        self._buckets[key] = (level, self._monotonic())
        self._buckets.move_to_end(key)
        while len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
