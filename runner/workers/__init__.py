"""Workers: flows and builds in processes that may do nothing but run them (decision 20).

pool = WorkerPool(egress=..., store=..., caches=..., directory=...)
await pool.start()
reply = await pool.run("tenant", LegCall(trigger="post-login", event=event, actions=(action,)))
reply.outcome
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runner.workers.parent.pool import WorkerPool
    from runner.workers.parent.pool_stats import PoolStats, TenantStats, WorkerStats
    from runner.workers.parent.requests import (
        BuildCall,
        LegCall,
        LegReply,
        ResumeCall,
        ShadowCall,
        TooBusy,
        TooBusyError,
        WorkerStartError,
    )
    from runner.workers.parent.settings import PoolSettings

_HOME = {
    "WorkerPool": "pool",
    "PoolSettings": "settings",
    "PoolStats": "pool_stats",
    "TenantStats": "pool_stats",
    "WorkerStats": "pool_stats",
}

__all__ = [
    "BuildCall",
    "LegCall",
    "LegReply",
    "PoolSettings",
    "PoolStats",
    "ResumeCall",
    "ShadowCall",
    "TenantStats",
    "TooBusy",
    "TooBusyError",
    "WorkerPool",
    "WorkerStartError",
    "WorkerStats",
]


def __getattr__(name: str) -> Any:
    # Late, because the worker's own process imports this package and must not load the parent's half.
    if name in __all__:
        return getattr(import_module(f"runner.workers.parent.{_HOME.get(name, 'requests')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
