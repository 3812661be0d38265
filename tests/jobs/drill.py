"""A worker process for drills: it runs jobs that note when they begin, and are kept with their end."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from multiprocessing.connection import Connection

from sqlalchemy import text
from sqlalchemy.orm import Session

from runner.jobs.policy import FLOW
from runner.jobs.queue import Job, JobQueue
from runner.jobs.worker import Change, Ended, JobGroup, JobWorker
from runner.server.background import hearing
from runner.store import Store

TABLES = (
    "create table drill_began (execution varchar(64), tenant varchar(64), worker integer)",
    "create table drill_kept (execution varchar(64), tenant varchar(64))",
)
_PLACES = 4


class Noting:
    """A handler."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self, job: Job) -> Ended:
        values = {"execution": job.execution_id, "tenant": job.tenant, "worker": os.getpid()}

        def note(statement: str, end: Change = lambda _: None) -> None:
            with self._store.begin() as session:
                session.execute(text(statement), values)
                end(session)

        await asyncio.to_thread(note, "insert into drill_began values (:execution, :tenant, :worker)")
        await asyncio.sleep(random.uniform(0.02, 0.08))

        async def keep(end: Change) -> None:
            await asyncio.to_thread(note, "insert into drill_kept values (:execution, :tenant)", end)

        return Ended(keep=keep)

    def give_up(self, session: Session, job: Job, error: str) -> None:
        raise AssertionError(error)


def work(url: str, machine: str, ready: Connection) -> None:
    """Until it is killed."""
    socket.gethostname = lambda: machine
    asyncio.run(_work(url, ready))


async def _work(url: str, ready: Connection) -> None:
    store, stop = Store.open(url), asyncio.Event()
    worker = JobWorker(store, JobQueue(store), [JobGroup((FLOW,), _PLACES, Noting(store))])
    listening = [asyncio.ensure_future(loop(stop)) for loop in hearing(store)]
    while listening and not store.hears:  # what it takes before is another's only once its lease is over
        await asyncio.sleep(0.01)
    ready.send(True)
    await asyncio.gather(worker.run(stop), *listening)
