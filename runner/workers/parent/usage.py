"""Processor time by tenant: the next legs of those that use much begin with low priority."""

from __future__ import annotations

from typing import Final

from runner.workers.parent.queueing import TenantNumbers

HEAVY_MS: Final = 250.0
"""Of processor time, halved each second: some sixth of a core all the time."""
_MIXED_SECONDS: Final = 2.0


class Usage:
    """Priority matters only among tenants: one that is alone is never heavy."""

    def __init__(self) -> None:
        self._last = ""
        self._mixed_at = -_MIXED_SECONDS

    def seen(self, tenant: str, now: float) -> None:
        """A call of `tenant` came in."""
        if tenant != self._last:
            if self._last:
                self._mixed_at = now
            self._last = tenant

    def add(self, numbers: TenantNumbers, cpu_ms: float, now: float) -> None:
        """Charge processor time."""
        numbers.cpu_ms = self.used(numbers, now) + cpu_ms
        numbers.cpu_at = now

    def used(self, numbers: TenantNumbers, now: float) -> float:
        """Recent use of a tenant, in milliseconds."""
        return numbers.used(now)

    def mixed(self, now: float) -> bool:
        """Whether several tenants called lately."""
        return now - self._mixed_at < _MIXED_SECONDS

    def heavy(self, numbers: TenantNumbers, now: float) -> bool:
        """Whether its next leg shall not be in the way of those of others."""
        return self.mixed(now) and self.used(numbers, now) > HEAVY_MS
