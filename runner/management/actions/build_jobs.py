"""Runs the jobs that build drafts, a few at a time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy.orm import Session

from runner.config.keys import Keys
from runner.config.settings import ServiceSettings
from runner.jobs.policy import BUILD, PACKAGE_BUILD
from runner.jobs.queue import Job
from runner.jobs.worker import Ended, JobGroup
from runner.management.actions.building import DraftBuilder
from runner.management.base.interfaces import Builder
from runner.management.shadows.guard import Guard
from runner.store.database.engine import Store

_GRACE_SECONDS: Final = 5.0
"""What a stop waits for builds at most; then they are handed back."""


class BuildJobs:
    """A `Handler` of builds."""

    def __init__(self, building: DraftBuilder, threads: int) -> None:
        self._builds = building
        self._threads = ThreadPoolExecutor(max(threads, 1), thread_name_prefix="actionbox-build")

    async def run(self, job: Job) -> Ended:
        """Build the draft."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._builds.run, job)

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """The draft has failed."""
        self._builds.give_up(session, job, error)


def build_groups(
    store: Store, keys: Keys, builder: Builder, settings: ServiceSettings, guard: Guard
) -> list[JobGroup]:
    """Builds on `builder`: `build_threads` at a time, and as many with packages; none at all for 0. `guard`:
    looks at drafts that are to be deployed at once."""
    building = DraftBuilder(store, keys, builder, guard)
    grace = min(_GRACE_SECONDS, settings.shutdown_seconds)
    places = settings.build_threads
    return [JobGroup((kind,), places, BuildJobs(building, places), grace) for kind in (BUILD, PACKAGE_BUILD)]
