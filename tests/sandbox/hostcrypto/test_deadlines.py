"""Slow computations have a few places for the whole process; who finds none waits, and no longer than its
deadline."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from runner.workers.child import gate as turnstile
from sandbox.core import caps
from sandbox.core.pace import paced
from sandbox.hostcrypto.deadlines import within
from sandbox.hostcrypto.errors import CryptoError

Start = Callable[[float], "Future[Any]"]


class Gate:
    """Work that is held until the gate opens."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.open = threading.Event()

    def work(self) -> str:
        self.inside.release()
        assert self.open.wait(20)
        return "done"

    def entered(self, count: int) -> bool:
        return all(self.inside.acquire(timeout=10) for _ in range(count))


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


@pytest.fixture
def start(gate: Gate) -> Iterator[Start]:
    with ThreadPoolExecutor(caps.MAX_HEAVY_COMPUTATIONS + 1) as pool:
        yield lambda seconds: pool.submit(within, time.monotonic() + seconds, gate.work)
        gate.open.set()


def test_as_many_as_the_cap_run_and_one_more_waits_its_turn(gate: Gate, start: Start) -> None:
    running = [start(20) for _ in range(caps.MAX_HEAVY_COMPUTATIONS)]
    assert gate.entered(caps.MAX_HEAVY_COMPUTATIONS)
    waiting = start(20)
    assert not gate.inside.acquire(timeout=0.1)
    gate.open.set()
    assert [future.result(10) for future in [*running, waiting]] == ["done"] * (len(running) + 1)


def test_who_finds_no_place_is_told_at_its_deadline(gate: Gate, start: Start) -> None:
    running = [start(20) for _ in range(caps.MAX_HEAVY_COMPUTATIONS)]
    assert gate.entered(caps.MAX_HEAVY_COMPUTATIONS)
    with pytest.raises(CryptoError, match="time ran out"):
        start(0.05).result(10)
    gate.open.set()
    assert [future.result(10) for future in running] == ["done"] * len(running)


def test_abandoned_work_keeps_its_place_until_it_ends(gate: Gate, start: Start) -> None:
    abandoned = [start(0.05) for _ in range(caps.MAX_HEAVY_COMPUTATIONS)]
    for future in abandoned:
        with pytest.raises(CryptoError, match="time ran out"):
            future.result(10)
    with pytest.raises(CryptoError, match="time ran out"):
        start(0.05).result(10)
    gate.open.set()
    assert start(20).result(10) == "done"


def test_what_the_work_raises_is_raised() -> None:
    def broken() -> None:
        raise CryptoError("broken")

    with pytest.raises(CryptoError, match="broken"):
        within(time.monotonic() + 5, broken)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="thread priorities are Linux's")
def test_slow_computations_keep_the_priority_of_their_thread() -> None:
    """One of a lower priority would hold the interpreter lock while it waits for a core."""

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert within(time.monotonic() + 20, priority) == priority()


class TestBesideOthers:
    """Of one worker: what is given up goes on alone, and nothing begins whose time is over."""

    def test_what_is_given_up_is_waited_for_by_the_next(self, gate: Gate) -> None:
        turns = turnstile.Gate()
        with pytest.raises(CryptoError, match="time ran out"):
            at_pace(turns, 0.05, gate.work)
        assert gate.entered(1)
        with pytest.raises(CryptoError, match="time ran out"):
            at_pace(turns, 0.05, gate.work)
        assert not gate.inside.acquire(timeout=0.1), "it began beside the first"
        gate.open.set()
        assert at_pace(turns, 20, gate.work) == "done"

    def test_a_failure_gives_the_place_back(self) -> None:
        turns = turnstile.Gate()
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                at_pace(turns, 20, lambda: 1 // 0)


def at_pace(gate: turnstile.Gate, seconds: float, work: Callable[[], Any]) -> Any:
    """`within`, as a leg of a worker calls it."""
    leg = turnstile.Pass(gate)
    leg.until = time.monotonic() + seconds
    try:
        with paced(leg):
            return within(leg.until, work)
    finally:
        leg.leave()
