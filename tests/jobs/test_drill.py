"""Workers on several machines are killed at any moment: nothing put is lost, and nothing is kept twice."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sqlalchemy import text

from runner.jobs.policy import FLOW
from runner.jobs.queue import JobQueue
from runner.store import Store
from runner.store.tables.runs import DONE
from tests.forked import FORKS
from tests.jobs import drill

TENANTS = ("north", "south", "east")
KILLS = 3


class Workers:
    """Processes of `tests.jobs.drill`."""

    def __init__(self, url: str, end: ExitStack) -> None:
        self._url, self._end = url, end
        self._living: list[tuple[BaseProcess, Connection]] = []

    def add(self, machine: str) -> None:
        ready, telling = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=drill.work, args=(self._url, machine, telling))
        process.start()
        telling.close()
        self._end.callback(ready.close)
        self._end.callback(process.join)
        self._end.callback(process.kill)
        self._living.append((process, ready))

    def pick(self, which: random.Random) -> BaseProcess:
        """One that is to be killed, once it is ready."""
        process, ready = self._living.pop(which.randrange(len(self._living)))
        assert ready.poll(90)
        assert ready.recv()
        return process


def test_nothing_is_lost_and_nothing_kept_twice(store: Store) -> None:
    dice = random.Random(11)
    machines = ["here"] if store.is_sqlite else ["here", "there"]
    with store.begin() as session:
        for statement in drill.TABLES:
            session.execute(text(statement))
    queue, promised, enough = JobQueue(store), {}, threading.Event()
    kept = "select execution, tenant from drill_kept"

    def put() -> None:
        for number in itertools.count():
            execution, tenant = f"e{number}", TENANTS[number % len(TENANTS)]
            with store.begin() as session:
                queue.put(session, tenant, FLOW, {}, execution_id=execution)
            promised[execution] = tenant
            if enough.wait(0.01):
                return

    with ExitStack() as end:
        workers = Workers(store.engine.url.render_as_string(hide_password=False), end)
        for machine in machines * 2:
            workers.add(machine)
        putting = threading.Thread(target=put)
        putting.start()
        for _ in range(KILLS):
            victim = workers.pick(dice)
            running = f"select count(*) from drill_began where worker = {victim.pid}"
            before = _count(store, running)
            while _count(store, running) == before:
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.04))
            victim.kill()
            victim.join()
            workers.add(dice.choice(machines))
        enough.set()
        putting.join()
        deadline = time.monotonic() + 90
        while len(_rows(store, kept)) < len(promised):
            assert time.monotonic() < deadline, queue.counts()
            time.sleep(0.05)
    assert sorted(_rows(store, kept)) == sorted(promised.items()), "each once, of its own tenant"
    began = _rows(store, "select execution, tenant from drill_began")
    assert set(began) == set(promised.items()), "what ran twice ran under the same id"
    assert queue.counts() == {DONE: len(promised)}
    assert 1 < Counter(began).most_common(1)[0][1] <= KILLS + 1, "some ran twice"
    assert len(_rows(store, "select distinct worker, worker from drill_began")) > len(machines)


def _count(store: Store, query: str) -> int:
    with store.read() as session:
        return session.scalar(text(query)) or 0


def _rows(store: Store, query: str) -> list[tuple[str, str]]:
    with store.read() as session:
        return [(first, second) for first, second in session.execute(text(query))]
