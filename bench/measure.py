"""Timing and memory probes shared by the benchmarks."""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

UNCOUNTED: Final = 5
"""Runs at the begin of each block of `in_turn`, which find caches cold."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds over `runs` runs; shown as p50 / p99."""

    p50: float
    p99: float
    runs: int

    def __str__(self) -> str:
        return f"{self.p50:.3f} / {self.p99:.3f} ms"


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


Sampler = Callable[[int], list[float]]
"""Runs something so many times; the milliseconds of each."""


def in_turn(samplers: Sequence[Sampler], runs: int, *, block: int = 50) -> list[Spread]:
    """Have each of `samplers` run `runs` times, a block of each in turn, so that what else the machine does
    meets all of them."""
    samples: list[list[float]] = [[] for _ in samplers]
    for begun in range(0, runs, block):
        for sampler, kept in zip(samplers, samples, strict=True):
            kept += sampler(min(block, runs - begun))
    return [spread(kept) for kept in samples]


def sampler(action: Callable[[], object], pause: float = 0.0) -> Sampler:
    """Runs `action`. The first runs of a block are not counted; see `timed` for `pause`."""

    def sample(runs: int) -> list[float]:
        gc.collect()
        samples = []
        for index in range(-UNCOUNTED, runs):
            start = time.perf_counter()
            action()
            if index >= 0:
                samples.append((time.perf_counter() - start) * 1000)
            if pause:
                time.sleep(pause)
        return samples

    return sample


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run was measured. `load`: processes that wanted to run when it began, over the last minute."""

    cores: int
    processor: str
    system: str
    load: float

    @property
    def busy(self) -> bool:
        """Whether others were at work as well."""
        return self.load >= self.cores / 2

    def facts(self) -> dict[str, str | int | float | bool]:
        """For the results file."""
        return {**asdict(self), "busy": self.busy}

    def __str__(self) -> str:
        noise = "; BUSY, so trust ratios and not absolutes" if self.busy else ""
        return f"{self.cores} cores, {self.processor}, {self.system}, load {self.load:.1f}{noise}"


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        cores=cores(),
        processor=_processor(),
        system=f"{platform.system()} {platform.release()}",
        load=round(os.getloadavg()[0], 1),
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The model where Linux tells it, otherwise the architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def private_bytes() -> int:
    """Memory of this process that it shares with nobody, in bytes."""
    info = psutil.Process().memory_full_info()
    return int(info.uss)


def resident_bytes() -> int:
    """Resident memory of this process, in bytes."""
    return int(psutil.Process().memory_info().rss)
