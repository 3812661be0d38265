"""A worker's lanes: one leg after another, and nobody waits for one that waits."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator

import pytest

from runner.workers.lanes import Lanes, Leg
from sandbox.priority import LOW_NICE

SECONDS = 20.0


class Stage:
    """Lanes whose legs run until they are told to end."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.moved: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self.lanes = Lanes(lambda number, state: self.moved.put((number, state)))
        self.legs: list[Leg] = []
        self.ends: list[threading.Event] = []

    def add(self, *, low: bool = False) -> threading.Event:
        number, end = len(self.legs), threading.Event()

        def work(leg: Leg) -> None:
            self.begun.put(number)
            end.wait(SECONDS)

        self.legs.append(Leg(number, work, low=low))
        self.ends.append(end)
        self.lanes.submit(self.legs[-1])
        return end


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    for end in made.ends:
        end.set()


def test_a_leg_that_waits_leaves_its_place(stage: Stage) -> None:
    stage.add()
    stage.add()
    assert [stage.begun.get(timeout=SECONDS) for _ in range(2)] == [0, 1]
    assert stage.moved.get(timeout=SECONDS) == (0, "computes")


def test_short_legs_run_one_after_another() -> None:
    running, most, done = 0, 0, queue.SimpleQueue[int]()
    lock = threading.Lock()

    def work(leg: Leg) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        done.put(leg.number)

    lanes = Lanes(lambda _number, _state: None)
    for number in range(200):
        lanes.submit(Leg(number, work))
    assert [done.get(timeout=SECONDS) for _ in range(200)] == list(range(200))
    assert most == 1


def test_detaching_twice_frees_one_place(stage: Stage) -> None:
    def work(leg: Leg) -> None:
        stage.lanes.waits(leg)
        stage.lanes.waits(leg)

    stage.lanes.submit(leg := Leg(100, work))
    assert stage.moved.get(timeout=SECONDS) == (100, "waits")
    with pytest.raises(queue.Empty):
        stage.moved.get(timeout=0.05)
    assert leg.holds is False


def test_the_low_lane_waits_for_nobody_and_holds_up_nobody(stage: Stage) -> None:
    stage.add(low=True)
    stage.add()
    assert {stage.begun.get(timeout=SECONDS) for _ in range(2)} == {0, 1}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="thread priorities are Linux's")
def test_a_leg_that_computes_long_loses_its_priority_and_its_thread_runs_nothing_else() -> None:
    seen: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    moved: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    lanes = Lanes(lambda number, state: moved.put((number, state)))

    def states_of_the_first() -> list[str]:
        found: list[str] = []
        while len(found) < 3:
            number, state = moved.get(timeout=SECONDS)
            if number == 1:  # on a busy machine the short leg takes long as well
                found.append(state)
        return found

    def look(_: Leg) -> None:
        thread = threading.get_native_id()
        seen.put((thread, os.getpriority(os.PRIO_PROCESS, thread)))

    def compute(leg: Leg) -> None:
        end = time.monotonic() + SECONDS
        while not leg.demoted and time.monotonic() < end:
            sum(range(1000))
        lanes.waits(leg)
        look(leg)

    for low in (False, True):
        lanes.submit(Leg(1, compute, low=low))
        slow, nice = seen.get(timeout=SECONDS)
        assert states_of_the_first() == ["computes", "demoted", "waits"]
        assert nice == LOW_NICE
        until = time.monotonic() + SECONDS
        while lanes.running and time.monotonic() < until:
            time.sleep(0.001)
        lanes.submit(Leg(2, look, low=low))
        other, nice = seen.get(timeout=SECONDS)
        assert other != slow
        assert nice == os.getpriority(os.PRIO_PROCESS, 0)
