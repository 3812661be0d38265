"""Timing and memory probes shared by the benchmarks."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Sequence
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


def timed_in_turn(
    actions: Sequence[Callable[[], object]], runs: int, *, pauses: Sequence[float], block: int = 50
) -> list[Spread]:
    """Time each of `actions` `runs` times, a block of each in turn, so that what else the machine does meets
    all of them. The first runs of a block are not counted; see `timed` for `pauses`."""
    samples: list[list[float]] = [[] for _ in actions]
    for begun in range(0, runs, block):
        for action, kept, pause in zip(actions, samples, pauses, strict=True):
            gc.collect()
            for index in range(-5, min(block, runs - begun)):
                start = time.perf_counter()
                action()
                if index >= 0:
                    kept.append((time.perf_counter() - start) * 1000)
                if pause:
                    time.sleep(pause)
    return [spread(kept) for kept in samples]


def machine() -> str:
    """The machine that a run was measured on, and whether it was quiet."""
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    noise = "" if load < cores / 2 else "; BUSY, so trust ratios and not absolutes"
    return (
        f"{cores} cores, {platform.system()} {platform.release()}, {platform.machine()}, "
        f"CPython {platform.python_version()}, load {load:.1f}{noise}"
    )


def private_bytes() -> int:
    """Memory of this process that it shares with nobody, in bytes."""
    info = psutil.Process().memory_full_info()
    return int(info.uss)


def resident_bytes() -> int:
    """Resident memory of this process, in bytes."""
    return int(psutil.Process().memory_info().rss)
