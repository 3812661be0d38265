"""Statistics of a pool, for health endpoints and metrics."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TenantStats(_Record):
    """One tenant. `lost`: legs whose worker gave no outcome; `refused`: calls told to come later;
    `cpu_ms`: processor time lately."""

    running: int
    waiting: int
    done: int
    refused: int
    lost: int
    cpu_ms: float


class WorkerStats(_Record):
    """One worker. `state`: `starting`, `ready` or `draining`; `rights`: measures that hold in it."""

    pid: int
    state: str
    running: int
    legs: int
    sources: int
    resident_bytes: int
    rights: dict[str, bool]


class PoolStats(_Record):
    """The pool.

    Attributes:
        healthy: some worker is ready and the pool is not stopping.
        queue: calls that wait.
        running: calls that workers have.
        done, lost, refused: since the start.
        restarts: workers replaced because they died or were killed, by reason.
        recycled: workers replaced in order.
        tenants: those seen lately.
    """

    healthy: bool
    queue: int
    running: int
    done: int
    lost: int
    refused: int
    restarts: dict[str, int]
    recycled: int
    workers: tuple[WorkerStats, ...]
    tenants: dict[str, TenantStats]
