"""Settings of a pool of workers: its size and supervision."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Attributes:
    workers: processes.
    slots: legs that one worker may have begun; most of them wait for the network.
    tenant_running: legs of one tenant that may run, over all workers.
    tenant_queue, queue: legs that may wait: of one tenant, and in all.
    wait_seconds: longest wait in the queue.
    grace_seconds: what a leg may take beyond its limits before its worker is killed.
    hang_seconds: a worker that answers nothing for so long is killed.
    start_seconds: longest start of a worker.
    recycle_legs: a worker is replaced after so many legs.
    recycle_bytes: a worker is replaced when it has grown by so much since it was ready.
    command: what the interpreter is started with; tests put something else in the place of a worker.
    """

    workers: int = field(default_factory=cores)
    slots: int = 32
    tenant_running: int = 16
    tenant_queue: int = 200
    queue: int = 2000
    wait_seconds: float = 10.0
    grace_seconds: float = 2.0
    hang_seconds: float = 10.0
    start_seconds: float = 120.0
    recycle_legs: int = 50_000
    recycle_bytes: int = 1024**3
    command: tuple[str, ...] = ("-I", "-X", "utf8", "-m", "runner.workers.child.main")

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if name != "command" and getattr(self, name) <= 0:
                raise ValueError(f"worker setting {name} must be above 0, not {getattr(self, name)!r}")
