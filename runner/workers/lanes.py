"""In which order and on which threads a worker runs its legs.

A lane runs one leg at a time, because two short ones on two threads hand the interpreter lock to and fro and
end later than one after the other (measured: bench/workers.py). A leg that waits for an answer or takes more
than a few milliseconds leaves its place in the lane ("detached") and goes on beside the next. One that has
computed for longer loses its thread's priority, so that however many loop, a short leg gets the core at
once; its thread ends with it, because a thread cannot raise its priority again. The low lane is for legs of
tenants that use more than their share: others need not queue behind them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from sandbox.priority import give_way

DETACH_SECONDS: Final = 0.005
"""Wall time after which a leg no longer holds up the next."""
DEMOTE_SECONDS: Final = 0.03
"""Processor time after which a leg's thread loses its priority."""
_LOOK_SECONDS: Final = 0.005
_QUIET_SECONDS: Final = 0.1


class Leg:
    """One task with its place. `work` runs it; it must not raise."""

    __slots__ = ("busy", "clock", "cpu", "demoted", "holds", "lane", "number", "since", "thread", "work")

    def __init__(self, number: int, work: Callable[[Leg], None], *, low: bool = False) -> None:
        self.number = number
        self.work = work
        self.lane = int(low)
        self.holds = False
        self.busy = False
        self.demoted = False
        self.since = 0.0
        self.cpu = 0.0
        self.clock = 0
        self.thread = 0


class _Lane:
    def __init__(self) -> None:
        self.busy = False
        self.waiting: deque[Leg] = deque()
        self.idle = 0
        self.tasks: queue.SimpleQueue[Leg] = queue.SimpleQueue()


class Lanes:
    """Two lanes (normal, low) and the threads that serve them.

    Args:
        tell: told, before the next leg begins, that a leg left its place (it `waits`, or `computes`); later,
            that one which computed `waits`, or has lost its priority (`demoted`).
    """

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._lanes = (_Lane(), _Lane())
        self._running: set[Leg] = set()
        self._some = threading.Event()
        threading.Thread(target=self._watch, name="actionbox-watch", daemon=True).start()

    @property
    def running(self) -> int:
        """Legs that have begun and not ended."""
        return len(self._running)

    def submit(self, leg: Leg) -> None:
        """Run `leg` when its lane is free."""
        lane = self._lanes[leg.lane]
        with self._lock:
            if lane.busy:
                lane.waiting.append(leg)
                return
            lane.busy = leg.holds = True
            self._hand(leg)

    def waits(self, leg: Leg) -> None:
        """The leg waits for an answer from now on: let the next one begin. To be called by its thread."""
        if leg.holds:
            self._detach(leg, busy=False)
            return
        with self._lock:
            if leg.busy:
                leg.busy = False
                self._tell(leg.number, "waits")

    def _detach(self, leg: Leg, *, busy: bool) -> None:
        with self._lock:
            if not leg.holds:
                return
            leg.busy = busy
            self._tell(leg.number, "computes" if busy else "waits")
            following = self._leave(leg)
            if following is not None:
                self._hand(following)

    def _leave(self, leg: Leg) -> Leg | None:
        """Give up the place of `leg`; the leg that has it now. Under the lock."""
        lane = self._lanes[leg.lane]
        leg.holds = False
        if not lane.waiting:
            lane.busy = False
            return None
        following = lane.waiting.popleft()
        following.holds = True
        return following

    def _hand(self, leg: Leg) -> None:
        lane = self._lanes[leg.lane]
        if lane.idle:
            lane.idle -= 1
            lane.tasks.put(leg)
        else:
            threading.Thread(target=self._serve, args=(leg,), name="actionbox-leg", daemon=True).start()

    def _serve(self, leg: Leg | None) -> None:
        """A thread's life: legs of one lane, until one of them costs it its priority."""
        assert leg is not None
        lane = self._lanes[leg.lane]
        clock = time.pthread_getcpuclockid(threading.get_ident())
        thread = threading.get_native_id()
        while True:
            if leg is None:
                leg = lane.tasks.get()
            leg.clock, leg.thread = clock, thread
            leg.cpu, leg.since = time.clock_gettime(clock), time.monotonic()
            self._running.add(leg)
            if not self._some.is_set():
                self._some.set()
            leg.work(leg)
            if leg.demoted:
                self._ended(leg, lane)
                return
            leg = self._ended(leg, lane)

    def _ended(self, leg: Leg, lane: _Lane) -> Leg | None:
        """What the thread does next; None: it waits, or ends when it has lost its priority."""
        with self._lock:
            self._running.discard(leg)
            following = self._leave(leg) if leg.holds else None
            if leg.demoted and following is not None:
                self._hand(following)
            elif following is None and not leg.demoted:
                lane.idle += 1
            return following

    def _watch(self) -> None:
        while True:
            self._some.wait()
            quiet = time.monotonic() + _QUIET_SECONDS
            while self._running or time.monotonic() < quiet:
                time.sleep(_LOOK_SECONDS)
                if self._running:
                    quiet = time.monotonic() + _QUIET_SECONDS
                    self._look()
            self._some.clear()
            if self._running:
                self._some.set()

    def _look(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = [leg for leg in list(self._running) if now - leg.since > DETACH_SECONDS]
        for leg in late:
            if leg.holds:
                # Whether it sleeps or starves cannot be told; the second must not let more of its kind in.
                self._detach(leg, busy=True)
            if not leg.demoted:
                self._demote(leg)

    def _demote(self, leg: Leg) -> None:
        with self._lock:
            if leg in self._running and time.clock_gettime(leg.clock) - leg.cpu > DEMOTE_SECONDS:
                leg.demoted = True
                give_way(leg.thread)
                self._tell(leg.number, "demoted")
