"""A service on a PostgreSQL of its own that writes to the disk, and what its logins cost there."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from bench.engine.latency import bench_event
from bench.scale.model import Costs
from bench.service.invoke import INVOKE, UNLIMITED, deploy, worker_pids
from bench.service.load import Load, load, request
from bench.service.share import share
from runner.store import KeyRing
from sandbox.core.program import Language
from tests.e2e.serving import Served, serve
from tests.postgres import installed, new_cluster

_COMMITS: Final = 50


@dataclass(frozen=True)
class Point:
    """What was measured with `clients` that log in one after another. Processor time in ms of a login.

    Attributes:
        commits: transactions of a login that write.
    """

    workers: int
    clients: int
    rate: float
    p50: float
    p99: float
    front: float
    worker: float
    database: float
    client: float
    commits: float


@dataclass(frozen=True)
class Bench:
    """A running service with one JavaScript Action bound, and its database."""

    served: Served
    url: str
    token: str
    postmaster: int

    def ask(self, query: str) -> Any:
        """One row."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchone()

    def point(self, clients: int, seconds: float = 3.0) -> Point:
        """Measure after a short warm-up."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = json.dumps({"event": json.loads(bench_event())}).encode()
        text = request(f"{self.served.url}{INVOKE}", headers, body)
        own = os.getpid()

        def run(took: float) -> Load:
            return asyncio.run(load(self.served.url, text, clients, took, own))

        run(1.0)
        commits = self.commits()
        before = self._busy()
        found = run(seconds)
        after = self._busy()
        made = self.commits() - commits
        count = found.latency.runs
        each = [1000 * (end - start) / count for start, end in zip(before, after, strict=True)]
        front, worker, database, client = each
        return Point(
            workers=len(worker_pids(self.served)),
            clients=clients,
            rate=found.rate,
            p50=found.latency.p50,
            p99=found.latency.p99,
            front=front,
            worker=worker,
            database=database,
            client=client,
            commits=made / count,
        )

    @contextmanager
    def held(self, front: float, worker: float) -> Iterator[None]:
        """To shares of a core, which others cannot take from them either. Raises `NoShareError`."""
        with share([self.served.process.pid], front), share(worker_pids(self.served), worker):
            yield

    def commits(self) -> int:
        """Transactions of the server that wrote, so far."""
        return int(self.ask("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0])

    def _busy(self) -> tuple[float, ...]:
        """Seconds of processors: front, workers, PostgreSQL, this process."""
        children = psutil.Process(self.postmaster).children(recursive=True)
        return (
            _seconds(self.served.process.pid),
            sum(map(_seconds, worker_pids(self.served))),
            sum(_seconds(child.pid) for child in children),
            _seconds(os.getpid()),
        )

    def sync_ms(self) -> float:
        """What a transaction waits for the disk: the median of one with a row over that of one without."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("create table bench_sync (n integer)")
            writing = _median(lambda: connection.execute("insert into bench_sync values (1)"))
            return max(0.0, writing - _median(lambda: connection.execute("select 1")))


def _median(work: Any) -> float:
    samples = []
    for _ in range(_COMMITS):
        began = time.perf_counter()
        work()
        samples.append((time.perf_counter() - began) * 1000)
    return statistics.median(samples)


@contextmanager
def running(workers: int) -> Iterator[Bench]:
    """Raises pytest's `Skipped` where PostgreSQL is not installed."""
    cluster = installed(new_cluster(durable=True))
    url = cluster.database()
    try:
        with tempfile.TemporaryDirectory() as name:
            KeyRing.create(Path(name) / "keys.json")
            settings = {**UNLIMITED, "DATABASE_URL": url, "ACTIONBOX_WORKERS": str(workers)}
            with serve(Path(name), afresh=True, **settings) as served:  # type: ignore[arg-type]
                token = deploy(served.api(), Language.JAVASCRIPT)
                with psycopg.connect(url) as connection:
                    (folder,) = connection.execute("show data_directory").fetchone() or ("",)
                postmaster = int((Path(folder) / "postmaster.pid").read_text().split()[0])
                yield Bench(served, url, token, postmaster)
    finally:
        cluster.stop()


def costs_of(light: Point, busy: Point, sync_ms: float) -> Costs:
    """From a point with a transaction for each login, and one where many share theirs: what a login costs,
    and what a transaction costs, whatever is in it."""
    apart = max(0.1, light.commits - busy.commits)

    def split(alone: float, shared: float) -> tuple[float, float]:
        each = min(max(0.0, (alone - shared) / apart), 0.5 * shared)  # one alone finds caches cold, too
        return shared - each * busy.commits, each

    front, commit = split(light.front, busy.front)
    database, database_commit = split(light.database, busy.database)
    return Costs(
        front=front,
        worker=busy.worker,
        database=database,
        commit=commit,
        database_commit=database_commit,
        sync=sync_ms,
        client=busy.client,
    )


def _seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
