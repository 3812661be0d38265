"""Timing and memory probes shared by the benchmarks."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds over `runs` runs."""

    p50: float
    p99: float
    runs: int

    def __str__(self) -> str:
        return f"{self.p50:8.3f} / {self.p99:8.3f}"


def spread(samples: list[float]) -> Spread:
    """Percentiles of `samples`, in milliseconds."""
    ordered = sorted(samples)
    return Spread(
        p50=ordered[len(ordered) // 2],
        p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        runs=len(ordered),
    )


def timed(action: Callable[[], object], runs: int, *, warm_up: int = 20, pause: float = 0.0) -> Spread:
    """Time `action` `runs` times. `pause` seconds pass between runs, outside the measurement, so that
    what works in the background (the pool of pre-warmed instances) catches up as it does in service."""
    for _ in range(warm_up):
        action()
        time.sleep(pause)
    samples = []
    gc.collect()
    for _ in range(runs):
        start = time.perf_counter()
        action()
        samples.append((time.perf_counter() - start) * 1000)
        if pause:
            time.sleep(pause)
    return spread(samples)


def private_bytes() -> int:
    """Memory of this process that it shares with nobody, in bytes."""
    info = psutil.Process().memory_full_info()
    return int(info.uss)


def resident_bytes() -> int:
    """Resident memory of this process, in bytes."""
    return int(psutil.Process().memory_info().rss)
