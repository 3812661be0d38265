"""Loops that run beside a service's sockets, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from runner.jobs.queue import JobQueue
from runner.jobs.worker import JobWorker
from runner.management.actions.build_jobs import build_groups
from runner.management.actions.guarding import guard_of
from runner.management.base.service import Service
from runner.management.shadows.jobs import shadow_groups
from runner.store import Store

Loop = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set."""
_MARGIN_SECONDS: Final = 5.0
"""Beyond the grace that a loop has of its own."""


@asynccontextmanager
async def running(*loops: Loop, grace_seconds: float) -> AsyncIterator[None]:
    """The loops run for the block; then they are told to stop, and cancelled when they take too long."""
    stop = asyncio.Event()
    tasks = [asyncio.ensure_future(loop(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*tasks), grace_seconds + _MARGIN_SECONDS)


def hearing(store: Store) -> list[Loop]:
    """The listener to other processes; none on SQLite, which has no way to tell."""
    if store.is_sqlite:
        return []
    from runner.store.database.listening import Listening

    return [Listening(store).run]


@asynccontextmanager
async def management_running(service: Service) -> AsyncIterator[None]:
    """The background work of a process without the runtime plane: the builds of drafts."""
    store, settings = service.store, service.settings
    groups = [
        *build_groups(store, service.keys, service.builder, settings, guard_of(service)),
        *shadow_groups(store, service.keys, service.flows, service.records, settings),
    ]
    jobs = JobWorker(store, JobQueue(store), groups)
    async with running(jobs.run, *hearing(store), grace_seconds=settings.shutdown_seconds):
        yield
