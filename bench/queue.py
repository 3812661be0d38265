"""The queue of jobs beside procrastinate: throughput, latency, fairness, recovery, idle processor time."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table
from sqlalchemy import text

from bench.measure import spread
from bench.queues import TABLES, Ours, Peer, peer
from runner.store import Store
from tests.postgres import new_database, server

JOBS = 1_000
PUTTERS = 4
"""Threads that put jobs."""
QUIET = 200
"""Jobs put one by one to a worker that idles."""
IDLE_SECONDS = 3.0
CROWD = 300
"""Jobs of one tenant before the one of another."""
SLEEP = 120.0
"""Seconds of the job whose worker is killed."""


@dataclass
class Found:
    """What one queue came to; seconds unless said."""

    rate: str = ""
    latency: str = ""
    behind: str = ""
    here: str = ""
    elsewhere: str = ""
    idle: str = ""


def table() -> Table:
    made = Table(title=f"Queue of jobs: a job is put with a row, and keeps a row; {PUTTERS} put at once")
    for column in (
        "queue",
        "jobs/s, 1 / 2 workers",
        "put → begun p50 / p99 ms",
        f"another tenant's job behind {CROWD}",
        "killed, same machine",
        "killed, elsewhere",
        "idle, % of a core",
    ):
        made.add_column(column)
    names = [("ours, SQLite", "ours", False), ("ours, PostgreSQL", "ours", True)]
    names += [(name, name, True) for name in ("procrastinate", "procrastinate-tuned")]
    for title, name, on_server in names:
        try:
            found = _postgres(name) if on_server else _sqlite()
        except _MissingError as missing:
            made.add_row(title, f"NOT MEASURED: {missing}")
        else:
            made.add_row(
                title, found.rate, found.latency, found.behind, found.here, found.elsewhere, found.idle
            )
    return made


class _MissingError(Exception):
    pass


class _Bench:
    """A database with a queue, and what is asked of it."""

    def __init__(self, name: str, url: str) -> None:
        try:
            self.peer: Peer = peer(name, url)
        except ImportError:
            raise _MissingError("pip install --require-hashes -r requirements/bench.txt") from None
        self.name, self.url, self._number = name, url, 0
        self.store = Store.open(url)
        with self.store.begin() as session:
            for statement in TABLES:
                session.execute(text(statement))

    def put(self, tenant: str = "t", seconds: float = 0.0) -> int:
        self._number += 1
        number = self._number
        self.peer.put(tenant, number, seconds)
        return number

    def scalar(self, query: str) -> Any:
        with self.store.read() as session:
            return session.scalar(text(query))

    def until(self, query: str, wanted: int, seconds: float = 150.0) -> float:
        """Seconds until `query` counts `wanted`."""
        started = time.perf_counter()
        while self.scalar(query) < wanted:
            assert time.perf_counter() - started < seconds, query
            time.sleep(0.005)
        return time.perf_counter() - started

    @contextlib.contextmanager
    def worker(self, *machine: str) -> Iterator[subprocess.Popen[bytes]]:
        program = "from bench.queues import main; main()"
        process = subprocess.Popen([sys.executable, "-c", program, self.name, self.url, *machine])
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def ready(self, *machine: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that has run something."""
        with self.worker(*machine) as process:
            self._warm()
            yield process

    def _warm(self) -> None:
        before = self.scalar("select count(*) from bench_done")
        self.put()
        self.until("select count(*) from bench_done", before + 1)

    def rate(self) -> float:
        """Jobs a second, from the first put to the last kept."""
        before = self.scalar("select count(*) from bench_done")
        numbers = range(self._number + 1, self._number + JOBS + 1)
        self._number += JOBS

        def put(part: int) -> None:
            for number in numbers[part::PUTTERS]:
                self.peer.put(f"t{number % 5}", number)

        threads = [threading.Thread(target=put, args=(part,)) for part in range(PUTTERS)]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.until("select count(*) from bench_done", before + JOBS)
        return JOBS / (time.perf_counter() - started)

    def latency(self) -> str:
        """From the put's commit to the job's own transaction."""
        samples = []
        for _ in range(QUIET):
            number = self.put()
            at = time.time()
            self.until(f"select count(*) from bench_done where n = {number}", 1)
            samples.append(max(self.scalar(f"select at from bench_done where n = {number}") - at, 0) * 1000)
            time.sleep(0.02)
        return str(spread(samples))

    def behind(self) -> str:
        """How many jobs of a crowd end before the one that another tenant puts behind them."""
        for _ in range(CROWD):
            self.put("crowd")
        number = self.put("quiet")
        query = f"select count(*) from bench_done where n = {number}"
        with self.worker():
            self.until(query, 1)
            self.until("select count(*) from bench_done where tenant = 'crowd'", CROWD)
        passed = (
            "select count(*) from bench_done where tenant = 'crowd' and "
            f"at < (select at from bench_done where n = {number})"
        )
        return str(self.scalar(passed))

    def killed(self, *machine: str) -> str:
        """From the kill of a worker in the middle of a job to the job's next begin."""
        with self.ready(*machine) as doomed:
            number = self.put(seconds=SLEEP)
            query = f"select count(*) from bench_began where n = {number}"
            self.until(query, 1)
            with self.worker() as other:
                time.sleep(3.0)
                doomed.kill()
                took = self.until(query, 2)
                del other
            self._forget()
        return f"{took:.1f}"

    def _forget(self) -> None:
        """The job that sleeps holds up nothing that comes after."""
        with self.store.begin() as session:
            rows = "jobs" if self.name == "ours" else "procrastinate_jobs"
            if rows == "jobs":
                session.execute(text("delete from jobs where state = 'running'"))
            else:
                session.execute(text("delete from procrastinate_jobs where status = 'doing'"))

    def idle(self, process: psutil.Process) -> str:
        time.sleep(1.0)
        before = process.cpu_times()
        time.sleep(IDLE_SECONDS)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        return f"{100 * used / IDLE_SECONDS:.2f}"


def _postgres(name: str) -> Found:
    if server() is None:
        raise _MissingError("apt-get install postgresql")
    bench, found = _Bench(name, new_database()), Found()
    with bench.ready() as one:
        single = bench.rate()
        found.latency = bench.latency()
        found.idle = bench.idle(psutil.Process(one.pid))
        with bench.ready():
            found.rate = f"{single:.0f} / {bench.rate():.0f}"
    found.behind = bench.behind()
    found.here = bench.killed()
    found.elsewhere = bench.killed("elsewhere")
    return found


def _sqlite() -> Found:
    """The worker in the process that puts, as the embedded service has it; killed ones in others."""
    with tempfile.TemporaryDirectory() as folder:
        bench, found = _Bench("ours", f"sqlite:///{Path(folder)}/jobs.db"), Found()
        with _inside(bench.peer):
            bench._warm()
            found.rate = f"{bench.rate():.0f} / -"
            found.latency = bench.latency()
            found.idle = bench.idle(psutil.Process())
        found.behind = bench.behind()
        found.here = bench.killed()
        found.elsewhere = "-"
    return found


@contextlib.contextmanager
def _inside(ours: Peer) -> Iterator[None]:
    assert isinstance(ours, Ours)
    loop = asyncio.new_event_loop()
    task = loop.create_task(ours.work())
    thread = threading.Thread(target=loop.run_until_complete, args=(asyncio.wait([task]),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
