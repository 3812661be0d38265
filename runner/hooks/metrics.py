"""Prometheus metrics of hooks. No label holds text of a tenant: names of hooks and effects are ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


class HookMetrics:
    """In the registry of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "actionbox_hook_requests",
            "Requests of identity providers, by what became of them.",
            ["provider", "hook", "result"],
            registry=registry,
        )
        self._dropped = Counter(
            "actionbox_hook_dropped_effects",
            "Effects that Actions asked for and a hook could not carry.",
            ["provider", "hook", "effect"],
            registry=registry,
        )
        self._seconds = Histogram(
            "actionbox_hook_seconds",
            "From a verified request of an identity provider to its answer.",
            ["provider", "hook"],
            buckets=_BUCKETS,
            registry=registry,
        )

    def answered(self, provider: str, hook: str, result: str, seconds: float | None) -> None:
        """Count a request. `seconds`: None for one that was refused before it was read."""
        self._requests.labels(provider, hook, result).inc()
        if seconds is not None:
            self._seconds.labels(provider, hook).observe(seconds)

    def counter(self, provider: str, hook: str, result: str) -> Callable[[], None]:
        """Counts one request each time that it is called."""
        return self._requests.labels(provider, hook, result).inc

    def dropped(self, provider: str, hook: str, effects: Iterable[dict[str, Any]]) -> None:
        """Count effects, as the record of an execution shows them."""
        for item in effects:
            self._dropped.labels(provider, hook, item["effect"]).inc()
