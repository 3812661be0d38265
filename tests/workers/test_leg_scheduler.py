"""A worker's lanes: one leg after another, and nobody waits for one that waits."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import pytest

from runner.workers.child.leg_scheduler import LegScheduler, LegTask
from sandbox.core.pace import current, ended

SECONDS = 20.0


class Stage:
    """LegScheduler whose legs run until they are told to end."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.moved: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self.lanes = LegScheduler(lambda number, state: self.moved.put((number, state)))
        self.legs: list[LegTask] = []
        self.ends: list[threading.Event] = []

    def add(self, *, low: bool = False) -> threading.Event:
        number, end = len(self.legs), threading.Event()

        def work(leg: LegTask) -> None:
            self.begun.put(number)
            end.wait(SECONDS)

        self.legs.append(LegTask(number, work, low=low))
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


def test_the_end_of_a_guest_is_told_of_all_that_take_turns(stage: Stage) -> None:
    """Also of those that waited for answers and computed little: what is left of them waits for its turn."""
    told: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    lanes = LegScheduler(lambda number, state: told.put((number, state)))
    for number, low in enumerate((False, True)):
        done = threading.Event()

        def work(leg: LegTask, done: threading.Event = done) -> None:
            ended()
            done.set()

        lanes.submit(LegTask(number, work, low=low))
        assert done.wait(SECONDS)
    assert told.get(timeout=SECONDS) == (1, "ends")
    assert told.empty()


def test_short_legs_run_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    # A thread that waits for a core must not be taken for a leg that computes.
    monkeypatch.setattr("runner.workers.child.leg_scheduler.DETACH_SECONDS", SECONDS)
    running, most, done = 0, 0, queue.SimpleQueue[int]()
    lock = threading.Lock()

    def work(leg: LegTask) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        done.put(leg.number)

    lanes = LegScheduler(lambda _number, _state: None)
    for number in range(200):
        lanes.submit(LegTask(number, work))
    assert [done.get(timeout=SECONDS) for _ in range(200)] == list(range(200))
    assert most == 1


def test_detaching_twice_frees_one_place(stage: Stage) -> None:
    def work(leg: LegTask) -> None:
        stage.lanes.waits(leg)
        stage.lanes.waits(leg)

    stage.lanes.submit(leg := LegTask(100, work))
    assert stage.moved.get(timeout=SECONDS) == (100, "waits")
    with pytest.raises(queue.Empty):
        stage.moved.get(timeout=0.05)
    assert leg.holds is False


def test_the_low_lane_waits_for_nobody_and_holds_up_nobody(stage: Stage) -> None:
    stage.add(low=True)
    stage.add()
    assert {stage.begun.get(timeout=SECONDS) for _ in range(2)} == {0, 1}


@pytest.mark.parametrize("low", [False, True])
def test_a_leg_that_computes_long_passes_the_gate_and_is_told(low: bool) -> None:
    moved: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    gated: queue.SimpleQueue[tuple[bool, bool]] = queue.SimpleQueue()
    lanes = LegScheduler(lambda number, state: moved.put((number, state)))

    def compute(leg: LegTask) -> None:
        pace = current()
        assert pace is not None
        before = pace.gated
        end = time.monotonic() + SECONDS
        while not leg.long and time.monotonic() < end:
            sum(range(1000))
        gated.put((before, pace.gated))
        lanes.waits(leg)

    lanes.submit(LegTask(1, compute, low=low))
    assert gated.get(timeout=SECONDS) == (low, True)
    assert [moved.get(timeout=SECONDS)[1] for _ in range(3)] == ["computes", "long", "waits"]
