"""Builds of drafts as jobs: a restart, or another process, goes on with them.

A draft has at most one job. A change of the draft puts it anew; what is built for an older revision is
dropped.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy.orm import Session

from runner.jobs.policy import BUILD, PACKAGE_BUILD
from runner.jobs.queue import Job, JobQueue
from runner.jobs.worker import Ended, Lane
from runner.management.building import Building
from runner.server.interfaces import Builder
from runner.server.keys import Keys
from runner.server.settings import ServiceSettings
from runner.store.engine import Store
from runner.store.models import ActionRow

_GRACE_SECONDS: Final = 5.0
"""What a stop waits for builds at most; then they are handed back."""


class Builds:
    """Orders builds, in the transactions that change drafts."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def enqueue(self, session: Session, row: ActionRow, *, deploy_as: str | None = None) -> None:
        """Have the draft built, and deployed for the client `deploy_as` if there is one."""
        payload = {"action_id": row.id, "deploy_as": deploy_as}
        kind = PACKAGE_BUILD if row.dependencies or row.modules else BUILD
        self._queue.put(session, row.tenant_id, kind, payload, job_id=_job_id(row))

    def cancel(self, session: Session, row: ActionRow) -> None:
        """The draft is being deleted, or replaced by what is built already."""
        self._queue.cancel(session, row.tenant_id, _job_id(row))


class BuildJobs:
    """A `Handler` of builds."""

    def __init__(self, building: Building, threads: int) -> None:
        self._building = building
        self._threads = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="actionbox-build")

    async def run(self, job: Job) -> Ended:
        """Build the draft."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._building.run, job)

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """The draft has failed."""
        self._building.give_up(session, job, error)


def build_lanes(store: Store, keys: Keys, builder: Builder, settings: ServiceSettings) -> list[Lane]:
    """Builds on `builder`: `build_threads` at a time, and as many with packages; none at all for 0."""
    building = Building(store, keys, builder)
    grace = min(_GRACE_SECONDS, settings.shutdown_seconds)
    places = settings.build_threads
    return [Lane((kind,), places, BuildJobs(building, places), grace) for kind in (BUILD, PACKAGE_BUILD)]


def _job_id(row: ActionRow) -> str:
    return f"build-{row.id}"
