"""Replicas are killed while they record, count and decide: nothing is lost or counted twice, and what is
decided is decided once."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sqlalchemy import func, select, text

from runner.rollouts.conductor import Conductor
from runner.store import Store
from runner.store.tables.rollouts import RolloutCountRow, RolloutDecisionRow, RolloutEventRow
from tests.forked import FORKS
from tests.rollouts import drill
from tests.rollouts.made import Made, canary

KILLS = 4


def begun(made: Made, end: ExitStack) -> tuple[BaseProcess, Connection]:
    ready, telling = FORKS.Pipe(duplex=False)
    url = made.store.engine.url.render_as_string(hide_password=False)
    process = FORKS.Process(target=drill.replica, args=(url, made.tenant, made.id, telling))
    process.start()
    telling.close()
    end.callback(ready.close)
    end.callback(process.join)
    end.callback(process.kill)
    return process, ready


def counted(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.sum(RolloutCountRow.events))) or 0


def test_nothing_is_lost_and_nothing_is_counted_or_decided_twice(store: Store) -> None:
    dice = random.Random(5)
    stages = [{"canary": {"percent": 50, "events": 1_000_000}}, {"promote": True}]
    made = Made(store, stages=stages, guards={"denied": {}})
    with store.begin() as session:
        session.execute(text(drill.TABLE))
    with ExitStack() as end:
        living = [begun(made, end) for _ in range(2)]
        for _ in range(KILLS):
            process, ready = living.pop(dice.randrange(len(living)))
            assert ready.poll(90)
            before, deadline = counted(store), time.monotonic() + 90
            while counted(store) <= before:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(dice.uniform(0, 0.1))
            process.kill()
            process.join()
            living.append(begun(made, end))
        made.events(*[canary(failed=True)] * 3)
        deadline = time.monotonic() + 90
        while made.row.state == "running":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with store.read() as session:
        left = session.scalar(text("select count(*) from drill_left")) or 0
        decided = list(session.scalars(select(RolloutDecisionRow.decision).order_by(RolloutDecisionRow.at)))
    assert decided == ["start", "rollback"]
    assert "failed 3 times in a row" in made.row.reason
    # What came after the end does not count; all that came before does, once.
    assert 0 < counted(store) <= left + 3


def test_all_that_was_left_is_counted_once(store: Store) -> None:
    """The same without an end: the numbers must be equal."""
    stages = [{"canary": {"percent": 50, "events": 1_000_000}}, {"promote": True}]
    made = Made(store, stages=stages, guards={})
    with store.begin() as session:
        session.execute(text(drill.TABLE))
    with ExitStack() as end:
        for process, ready in [begun(made, end) for _ in range(2)]:
            assert ready.poll(90)
            before, deadline = counted(store), time.monotonic() + 90
            while counted(store) <= before:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            process.kill()
            process.join()
    conductor, deadline = Conductor(store), time.monotonic() + 60
    while True:
        conductor.look()
        with store.read() as session:
            if not session.scalar(select(func.count()).select_from(RolloutEventRow)):
                break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with store.read() as session:
        assert counted(store) == session.scalar(text("select count(*) from drill_left"))
