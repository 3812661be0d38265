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
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text

from bench.measure import Spread, spread
from bench.report import Cell, Figure, Report
from bench.service.queues import TABLES, Ours, Peer, peer
from runner.store import Store
from tests.postgres import new_database, server

JOBS = 1_000
ROUNDS = 3
PEERS = ("procrastinate", "procrastinate-tuned")
PUTTERS = 4
"""Threads that put jobs."""
QUIET = 70
"""Jobs put one by one to a worker that idles."""
IDLE_SECONDS = 8.0
CROWD = 300
"""Jobs of one tenant before the one of another."""
SLEEP = 120.0
"""Seconds of the job whose worker is killed."""


COLUMNS = (
    "1 worker",
    "2 workers",
    "its processor, a job",
    "put to begun",
    f"of {CROWD} jobs, before another tenant's",
    "killed, same machine",
    "killed, elsewhere",
    "idle, of a core",
)


@dataclass
class Found:
    """The figures of one queue."""

    rates: list[float] = field(default_factory=list)
    pairs: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    behind: Cell = "-"
    here: Cell = "-"
    elsewhere: Cell = "-"
    idle: Cell = ""

    def cells(self) -> tuple[Cell, ...]:
        best: list[Cell] = [
            Figure(max(rates), "jobs/s", 0) if rates else "-" for rates in (self.rates, self.pairs)
        ]
        processor: Cell = Figure(min(self.processor), "ms") if self.processor else "-"
        waited: Spread = spread(self.samples)
        return (*best, processor, waited, self.behind, self.here, self.elsewhere, self.idle)


def measured() -> Report:
    """Queues take turns, and the best of `ROUNDS` counts: what else the machine does meets all of them."""
    title = f"Queue of jobs: a job is put with a row and keeps a row; {PUTTERS} put at once"
    made = Report(title, ("queue",), COLUMNS)
    found: dict[str, Found] = {"ours, SQLite": _sqlite()}
    benches: dict[str, _Bench] = {}
    for title, name in (("ours, PostgreSQL", "ours"), *((name, name) for name in PEERS)):
        try:
            if server() is None:
                raise _MissingError("apt-get install postgresql")
            benches[title], found[title] = _Bench(name, new_database()), Found()
        except _MissingError as missing:
            made.leave_out(title, why=str(missing))
    with contextlib.suppress(PackageNotFoundError):
        made.versions[PEERS[0]] = version(PEERS[0])
    for _ in range(ROUNDS):
        for title, bench in benches.items():
            _round(bench, found[title])
    for title, bench in benches.items():
        here = found[title]
        here.behind, here.here, here.elsewhere = bench.behind(), bench.killed(), bench.killed("elsewhere")
    for title, here in found.items():
        made.add(title, *here.cells())
    return made


def _round(bench: _Bench, found: Found) -> None:
    with bench.ready() as one:
        process = psutil.Process(one.pid)
        before = _processor(process)
        found.rates.append(bench.rate())
        found.processor.append(1000 * (_processor(process) - before) / JOBS)
        found.samples += bench.latency()
        if not found.idle:
            found.idle = bench.idle(process)
        with bench.ready():
            found.pairs.append(bench.rate())


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


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
        program = "from bench.service.queues import main; main()"
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
            self.warm()
            yield process

    def warm(self) -> None:
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

    def latency(self) -> list[float]:
        """Milliseconds from the put's commit to the job's own transaction, of a worker that idles."""
        samples = []
        for _ in range(QUIET):
            number = self.put()
            at = time.time()
            self.until(f"select count(*) from bench_done where n = {number}", 1)
            samples.append(max(self.scalar(f"select at from bench_done where n = {number}") - at, 0) * 1000)
            time.sleep(0.02)
        return samples

    def behind(self) -> Figure:
        """The number of jobs of a crowd that end before the one that another tenant puts behind them."""
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
        return Figure(self.scalar(passed), "jobs", 0)

    def killed(self, *machine: str) -> Figure:
        """From the kill of a worker in the middle of a job to the job's next begin."""
        with self.ready(*machine) as doomed:
            number = self.put(seconds=SLEEP)
            query = f"select count(*) from bench_began where n = {number}"
            self.until(query, 1)
            with self.worker():
                time.sleep(3.0)
                doomed.kill()
                doomed.wait()
                took = self.until(query, 2)
            self._forget()
        return Figure(took, "s")

    def _forget(self) -> None:
        """The job that sleeps holds up nothing that comes after."""
        with self.store.begin() as session:
            rows = "jobs" if self.name == "ours" else "procrastinate_jobs"
            if rows == "jobs":
                session.execute(text("delete from jobs where state = 'running'"))
            else:
                session.execute(text("delete from procrastinate_jobs where status = 'doing'"))

    def idle(self, process: psutil.Process) -> Figure:
        time.sleep(1.0)
        before = _processor(process)
        time.sleep(IDLE_SECONDS)
        return Figure(100 * (_processor(process) - before) / IDLE_SECONDS, "%", 2)


def _sqlite() -> Found:
    """The worker in the process that puts, as the embedded service has it; killed ones in others."""
    with tempfile.TemporaryDirectory() as folder:
        bench, found = _Bench("ours", f"sqlite:///{Path(folder)}/jobs.db"), Found()
        with _inside(bench.peer):
            bench.warm()
            found.rates = [bench.rate() for _ in range(ROUNDS)]
            found.samples = bench.latency()
            found.idle = bench.idle(psutil.Process())
        found.behind, found.here = bench.behind(), bench.killed()
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
