"""Several services on one PostgreSQL, as a machine with more cores than one front fills would run them.

Each front is held to a small share of a core, so that a few cores show what many would: what it answers is
then the front's own limit, and a second front has one of its own. Two ways of giving several fronts one
address are compared: nginx before them (`deploy/nginx.conf`), and all of them on one port (SO_REUSEPORT),
where the kernel chooses a front for each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from rich.table import Table

from bench.engine.latency import bench_event
from bench.service.invoke import INVOKE, UNLIMITED, deploy, worker_pids
from bench.service.load import Load, load, request
from bench.service.share import NoShareError, share
from runner.store import KeyRing
from sandbox.core.program import Language
from tests.e2e.balancing import NGINX, balancer
from tests.e2e.serving import Served, environment, process, serve
from tests.postgres import new_database

FRONTS: Final = (1, 2, 4)
CLIENTS: Final = (8, 32)
SHARE: Final = 0.1
"""Of a core, for each front: four of them and their workers take half of two cores."""
ROUNDS: Final = 4
SECONDS: Final = 2.0
_ON_ONE_PORT: Final = """
import socket
bind = socket.socket.bind
def shared(listener, address):
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bind(listener, address)
socket.socket.bind = shared
from runner.cli import main
main(["serve", "--port", "{port}"])
"""
"""`actionbox serve` as it would be with SO_REUSEPORT."""


@dataclass
class _Way:
    """Fronts behind one address.

    Attributes:
        before: file with the process id of what stands before them.
        rates: answers a second, of each round.
        busiest: the share of the answers that the front with the most gave, of each round; by the processor
            time of its worker, which nothing holds back.
        before_ms: processor time of an answer, of what stands before them.
    """

    name: str
    url: str
    fronts: Sequence[Served]
    before: Path | None = None
    rates: dict[int, list[float]] = field(default_factory=dict)
    p50s: dict[int, list[float]] = field(default_factory=dict)
    p99s: dict[int, list[float]] = field(default_factory=dict)
    busiest: dict[int, list[float]] = field(default_factory=dict)
    before_ms: list[float] = field(default_factory=list)

    def turn(self, token: str, clients: int) -> Load:
        """Some seconds of logins."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        body = json.dumps({"event": json.loads(bench_event())}).encode()
        text = request(f"{self.url}{INVOKE}", headers, body)
        return asyncio.run(load(self.url, text, clients, SECONDS, os.getpid()))

    def measure(self, token: str, clients: int) -> None:
        """One turn of it, kept."""
        busy = [_worker_seconds(front) for front in self.fronts]
        before_it = _tree_seconds(self.before)
        found = self.turn(token, clients)
        each = [_worker_seconds(front) - was for front, was in zip(self.fronts, busy, strict=True)]
        self.rates.setdefault(clients, []).append(found.rate)
        self.p50s.setdefault(clients, []).append(found.latency.p50)
        self.p99s.setdefault(clients, []).append(found.latency.p99)
        self.busiest.setdefault(clients, []).append(max(each) / max(sum(each), 1e-9))
        if self.before is not None:
            self.before_ms.append((_tree_seconds(self.before) - before_it) * 1000 / found.latency.runs)


def table() -> Table:
    """Answers a second by the number of fronts, in turns; a median of `ROUNDS` rounds."""
    made = Table(
        title=f"Fronts of {SHARE} of a core each, a worker each, one PostgreSQL; medians of {ROUNDS} rounds"
    )
    for column in ("fronts", "before them", "clients", "answers/s", "x of one", "p50 / p99 ms",
                   "answers of the busiest", "processor ms of what is before"):  # fmt: skip
        made.add_column(column)
    if NGINX is None:
        made.add_row("NOT MEASURED: nginx is not installed")
        return made
    with _ways() as (ways, token):
        pids = {front.process.pid for way in ways for front in way.fronts}
        try:
            with share(sorted(pids), SHARE):
                for _ in range(ROUNDS):
                    for clients in CLIENTS:
                        for way in ways:
                            way.measure(token, clients)
        except NoShareError as error:
            made.add_row(f"NOT MEASURED: {error}")
            return made
    for clients in CLIENTS:
        for way in ways:
            _row(made, way, clients, ways[0])
    return made


def _row(made: Table, way: _Way, clients: int, one: _Way) -> None:
    def middle(values: dict[int, list[float]]) -> float:
        return statistics.median(values[clients])

    ratios = [rate / base for rate, base in zip(way.rates[clients], one.rates[clients], strict=True)]
    made.add_row(
        str(len(way.fronts)),
        way.name,
        str(clients),
        f"{middle(way.rates):.0f}",
        f"{statistics.median(ratios):.2f}",
        f"{middle(way.p50s):.0f} / {middle(way.p99s):.0f}",
        f"{100 * middle(way.busiest):.0f} %",
        f"{statistics.median(way.before_ms):.2f}" if way.before_ms else "",
    )


@contextmanager
def _ways() -> Iterator[tuple[list[_Way], str]]:
    """What is compared, all running; and a token for all of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        KeyRing.create(folder / "keys.json")
        settings = {**UNLIMITED, "ACTIONBOX_RUN_JOBS": "false", "DATABASE_URL": new_database()}
        fronts: list[Served] = []
        for _ in range(max(FRONTS)):
            known = fronts[0] if fronts else None
            fronts.append(stack.enter_context(serve(folder, known=known, afresh=True, **settings)))  # type: ignore[arg-type]
        ways = [_Way("nothing", fronts[0].url, fronts[:1])]
        for count in FRONTS:
            place = folder / f"nginx-{count}"
            url = stack.enter_context(balancer(place, fronts[:count]))
            ways.append(_Way("nginx", url, fronts[:count], place / "nginx.pid"))
        group = stack.enter_context(_on_one_port(folder, max(FRONTS), settings))
        ways.append(_Way("SO_REUSEPORT", group[0].url, group))
        token = deploy(fronts[0].api(), Language.JAVASCRIPT)
        for way in ways:
            way.turn(token, max(CLIENTS))
        yield ways, token


@contextmanager
def _on_one_port(folder: Path, count: int, settings: dict[str, str]) -> Iterator[list[Served]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", _ON_ONE_PORT.replace("{port}", str(port))]
    with ExitStack() as stack:
        group = []
        for _ in range(count):
            started, lines = stack.enter_context(process(command, environment(folder, **settings)))
            while "Tokens:" not in (line := lines.get(timeout=120)):
                print(line, end="", file=sys.stderr) if "error" in line else None
            url = f"http://127.0.0.1:{port}"
            group.append(Served(started, url, ca_file="", token="", client_id="", client_secret=""))
        yield group


def _worker_seconds(front: Served) -> float:
    return sum(map(_seconds, worker_pids(front)))


def _tree_seconds(file: Path | None) -> float:
    """Of the process whose id is in the file, and of those that it started."""
    if file is None:
        return 0.0
    pid = int(file.read_text())
    return _seconds(pid) + sum(_seconds(child.pid) for child in psutil.Process(pid).children(recursive=True))


def _seconds(pid: int) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0
