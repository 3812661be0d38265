"""The cleaner beside logins: how fast it is, and what it does to them."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from rich.table import Table
from sqlalchemy import func, select, update

from bench.engine.latency import bench_event
from bench.growth.rows import BIG, DAYS
from bench.growth.services import Grown
from bench.service.invoke import INVOKE
from bench.service.load import Load, load, request
from runner.client.http import RUNTIME
from runner.store import Store
from runner.store.tables.runs import ExecutionRow

MOST_DUE: Final = 40_000
_CLIENTS: Final = 8
_IDLE_SECONDS: Final = 4.0
_COLUMNS: Final = (
    "executions",
    "clients",
    "answers/s: alone, beside the cleaner",
    "p50 / p99 ms alone",
    "p50 / p99 ms beside the cleaner",
    "p99 ratio",
    "removed/s",
    "removed / inserted",
)


def cleaning(kind: str, grown: Sequence[Grown]) -> Table:
    """With one client and with several: up to `MOST_DUE` executions are due at once, as after a pause."""
    made = Table(title=f"{kind}: the cleaner beside logins")
    for column in _COLUMNS:
        made.add_column(column)
    for item in grown:
        with item.running():
            store = item.store()
            for clients in (1, _CLIENTS):
                _logins(item, clients, 1.0)
                alone = _logins(item, clients, _IDLE_SECONDS)
                progress = _Progress(store)
                progress.expire(min(MOST_DUE, item.size // 4))
                beside = progress.during(partial(_logins, item, clients, 1.0))
                rate = progress.rate
                most = max(beside, key=lambda one: one.latency.p99).latency
                p50 = sorted(one.latency.p50 for one in beside)[len(beside) // 2]
                p99 = sorted(one.latency.p99 for one in beside)[len(beside) // 2]
                answers = sum(one.rate for one in beside) / len(beside)
                row = (
                    f"{item.size:,}",
                    str(clients),
                    f"{alone.rate:.0f}, {answers:.0f}",
                    str(alone.latency),
                    f"{p50:.2f} / {p99:.2f} (worst second {most.p99:.2f})",
                    f"{p99 / alone.latency.p99:.2f}",
                    f"{rate:.0f}",
                    f"{rate / alone.rate:.1f}",
                )
                made.add_row(*row)
                print(*row, file=sys.stderr, flush=True)
            store.close()
    return made


def _logins(item: Grown, clients: int, seconds: float) -> Load:
    url = f"http://127.0.0.1:{item.port}{INVOKE}"
    headers = {"Authorization": f"Bearer {item.tokens[BIG, RUNTIME]}", "Content-Type": "application/json"}
    text = request(url, headers, json.dumps({"event": json.loads(bench_event())}).encode())
    return asyncio.run(load(url, text, clients, seconds, item.pid))


@dataclass
class _Progress:
    """What is due, and how it dwindles."""

    store: Store
    seen: list[tuple[float, int]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def expire(self, count: int) -> None:
        """Make the oldest `count` due."""
        with self.store.begin() as session:
            oldest = session.scalars(
                select(ExecutionRow.expires_at).order_by(ExecutionRow.expires_at).offset(count).limit(1)
            ).one()
            due = ExecutionRow.expires_at < oldest
            past = datetime.now(UTC) - timedelta(days=DAYS)
            session.execute(update(ExecutionRow).where(due).values(expires_at=past))

    def during(self, work: Callable[[], Load]) -> list[Load]:
        """Results of `work`, over and over until nothing is due any more."""
        found = []
        self._look()
        watching = threading.Thread(target=self._watch)
        watching.start()
        while self.seen[-1][1]:
            before = self.seen[-1][1]
            result = work()
            if self.seen[-1][1] < before:
                found.append(result)
        self.stop.set()
        watching.join()
        return found

    @property
    def rate(self) -> float:
        """Executions removed a second, from the first to the last."""
        falls = [
            (at, before - after)
            for (_, before), (at, after) in zip(self.seen, self.seen[1:], strict=False)
            if after < before
        ]
        if len(falls) < 2:
            return float(falls[0][1]) / 0.1 if falls else 0.0
        return sum(number for _, number in falls[1:]) / (falls[-1][0] - falls[0][0])

    def _watch(self) -> None:
        while not self.stop.wait(0.1):
            self._look()

    def _look(self) -> None:
        due = select(func.count()).where(ExecutionRow.expires_at < datetime.now(UTC))
        with self.store.read() as session:
            self.seen.append((time.perf_counter(), session.scalar(due) or 0))
