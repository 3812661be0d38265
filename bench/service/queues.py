"""Two queues behind one interface: ours and, where it is installed, procrastinate's. A job writes one row.

`main` is a worker of one of them that runs until it is killed: NAME URL [MACHINE].
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
import time
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from runner.jobs.policy import FLOW
from runner.jobs.queue import Job, JobQueue
from runner.jobs.worker import Change, Ended, JobGroup, JobWorker
from runner.runtime.records.group_commit import GroupCommit
from runner.server.background import hearing
from runner.store import Store, migrate

PARALLEL = 4
"""Jobs at a time of one worker, of either queue."""
TABLES = (
    "create table bench_caused (n integer primary key)",
    "create table bench_began (n integer, pid integer, at double precision)",
    "create table bench_done (n integer, tenant text, at double precision)",
)


class Peer(Protocol):
    """A queue."""

    def put(self, tenant: str, number: int, seconds: float = 0.0) -> None:
        """In one transaction: a job that takes `seconds`, and a row that caused it."""
        ...

    async def work(self) -> None:
        """Run jobs until cancelled."""
        ...


def peer(name: str, url: str) -> Peer:
    """`ours`, `procrastinate`, or `procrastinate-tuned` with short heartbeats. Raises `ImportError`."""
    if name == "ours":
        return Ours(url)
    return Procrastinate(url, *((1.0, 4.0) if name.endswith("tuned") else (10.0, 30.0)))


def began(session: Session, number: int) -> None:
    session.execute(
        text("insert into bench_began values (:n, :pid, :at)"),
        {"n": number, "pid": os.getpid(), "at": time.time()},
    )


def done(session: Session, number: int, tenant: str) -> None:
    session.execute(
        text("insert into bench_done values (:n, :tenant, :at)"),
        {"n": number, "tenant": tenant, "at": time.time()},
    )


class Ours:
    """The service's own, with what its processes have around it."""

    def __init__(self, url: str) -> None:
        self.store = Store.open(url)
        migrate.upgrade(self.store)
        self._queue = JobQueue(self.store)

    def put(self, tenant: str, number: int, seconds: float = 0.0) -> None:
        with self.store.begin() as session:
            session.execute(text("insert into bench_caused values (:n)"), {"n": number})
            self._queue.put(session, tenant, FLOW, {"n": number, "seconds": seconds})

    async def work(self) -> None:
        stop = asyncio.Event()
        worker = JobWorker(self.store, self._queue, [JobGroup((FLOW,), PARALLEL, _Handler(self.store))])
        await asyncio.gather(worker.run(stop), *(loop(stop) for loop in hearing(self.store)))


class _Handler:
    def __init__(self, store: Store) -> None:
        self._writer = GroupCommit(store)

    async def run(self, job: Job) -> Ended:
        number, seconds = job.payload["n"], job.payload["seconds"]
        if seconds:
            await self._writer.write(lambda session: began(session, number))
            await asyncio.sleep(seconds)

        async def keep(end: Change) -> None:
            def change(session: Session) -> None:
                done(session, number, job.tenant)
                end(session)

            await self._writer.write(change)

        return Ended(keep=keep)

    def give_up(self, _session: Session, _job: Job, error: str) -> None:
        raise AssertionError(error)


class Procrastinate:
    """Deferred on the connection of our own transaction. Its worker ends jobs by itself, in a transaction of
    its own after ours; it brings heartbeats, and leaves the rescue of stalled jobs to the application."""

    def __init__(self, url: str, heartbeat: float, stalled: float) -> None:
        library: Any = importlib.import_module("procrastinate")
        self.store = Store.open(url)
        self._heartbeat, self._stalled = heartbeat, stalled
        self._app: Any = library.App(connector=library.PsycopgConnector(conninfo=url, max_size=PARALLEL + 4))
        self._task: Any = self._app.task(name="job")(self._run)
        sync = self._app.with_connector(library.SyncPsycopgConnector(conninfo=url))
        with self.store.engine.connect() as connection:
            missing = connection.scalar(text("select to_regclass('procrastinate_jobs')")) is None
        if missing:
            with sync.open():
                sync.schema_manager.apply_schema()

    def put(self, tenant: str, number: int, seconds: float = 0.0) -> None:
        with self.store.begin() as session:
            session.execute(text("insert into bench_caused values (:n)"), {"n": number})
            raw = session.connection().connection.driver_connection
            self._task.configure(connection=raw).defer(tenant=tenant, n=number, seconds=seconds)

    async def work(self) -> None:
        async with self._app.open_async():
            rescue = asyncio.create_task(self._rescue())
            try:
                await self._app.run_worker_async(
                    concurrency=PARALLEL,
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._heartbeat,
                    stalled_worker_timeout=self._stalled,
                )
            finally:
                rescue.cancel()

    async def _rescue(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled):
                await self._app.job_manager.retry_job(job)

    async def _run(self, tenant: str, n: int, seconds: float) -> None:
        def write(change: Any, *arguments: Any) -> None:
            with self.store.begin() as session:
                change(session, *arguments)

        if seconds:
            await asyncio.to_thread(write, began, n)
            await asyncio.sleep(seconds)
        await asyncio.to_thread(write, done, n, tenant)


def main() -> None:
    name, url, *machine = sys.argv[1:]
    if machine:
        socket.gethostname = lambda: machine[0]  # no other worker can look after our process
    asyncio.run(peer(name, url).work())
