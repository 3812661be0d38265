"""In which order and on which threads a worker runs its legs.

A lane runs one leg at a time, because two short ones on two threads hand the interpreter lock to and fro and
end later than one after the other (`python -m bench workers`). A leg that waits for an answer or takes more
than a few milliseconds leaves its place in the lane ("detached") and goes on beside the next. One that
computes for longer passes the gate from then on (`runner.workers.child.gate`), so that however many loop or
call the host, a short leg finds a core and the interpreter lock. The low lane is for builds and for legs of
tenants that use more than their share: they pass the gate from the start, and nobody queues behind them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from runner.workers.child.gate import Gate, Pass
from sandbox.core.pace import paced

DETACH_SECONDS: Final = 0.005
"""Wall time after which a leg no longer holds up the next."""
GATE_SECONDS: Final = 0.005
"""Processor time after which a leg passes the gate."""
LONG_SECONDS: Final = 0.03
"""Processor time after which the parent is told that a leg is a long one."""
_LOOK_SECONDS: Final = 0.005
_NORMAL: Final = 0
_QUIET_SECONDS: Final = 0.1


class LegTask:
    """One task with its place. `work` runs it; it must not raise."""

    __slots__ = ("busy", "clock", "cpu", "holds", "lane", "long", "number", "pace", "since", "work")

    def __init__(self, number: int, work: Callable[[LegTask], None], *, low: bool = False) -> None:
        self.number = number
        self.work = work
        self.lane = int(low)
        self.holds = False
        self.busy = False
        self.long = False
        self.pace: Pass | None = None
        self.since = 0.0
        self.cpu = 0.0
        self.clock = 0


class _Lane:
    def __init__(self) -> None:
        self.busy = False
        self.waiting: deque[LegTask] = deque()
        self.idle = 0
        self.tasks: queue.SimpleQueue[LegTask] = queue.SimpleQueue()


class LegScheduler:
    """Two lanes (normal, low) and the threads that serve them.

    Args:
        tell: told, before the next leg begins, that a leg left its place (it `waits`, or `computes`); later,
            that one which computed `waits`, or has computed for long (`long`); and that
            the guest of a long one `ends`, so that only what it did is still to be written down.
    """

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self._tell = tell
        self._gate = Gate()
        self._lock = threading.Lock()
        self._lanes = (_Lane(), _Lane())
        self._running: set[LegTask] = set()
        self._some = threading.Event()
        threading.Thread(target=self._watch, name="actionbox-watch", daemon=True).start()

    @property
    def running(self) -> int:
        """Legs that have begun and not ended."""
        return len(self._running)

    def submit(self, leg: LegTask) -> None:
        """Run `leg` when its lane is free."""
        lane = self._lanes[leg.lane]
        with self._lock:
            if lane.busy:
                lane.waiting.append(leg)
                return
            lane.busy = leg.holds = True
            self._short(leg.lane, True)
            self._hand(leg)

    def _short(self, lane: int, running: bool) -> None:
        if lane == _NORMAL:
            self._gate.short_legs(running)

    def waits(self, leg: LegTask) -> None:
        """The leg waits for an answer from now on: let the next one begin. To be called by its thread."""
        if leg.holds:
            self._detach(leg, busy=False)
            return
        with self._lock:
            if leg.busy:
                leg.busy = False
                self._tell(leg.number, "waits")

    def _detach(self, leg: LegTask, *, busy: bool) -> None:
        with self._lock:
            if not leg.holds:
                return
            leg.busy = busy
            self._tell(leg.number, "computes" if busy else "waits")
            following = self._leave(leg)
            if following is not None:
                self._hand(following)

    def _leave(self, leg: LegTask) -> LegTask | None:
        """Give up the place of `leg`; the leg that has it now. Under the lock."""
        lane = self._lanes[leg.lane]
        leg.holds = False
        if not lane.waiting:
            lane.busy = False
            self._short(leg.lane, False)
            return None
        following = lane.waiting.popleft()
        following.holds = True
        return following

    def _hand(self, leg: LegTask) -> None:
        lane = self._lanes[leg.lane]
        if lane.idle:
            lane.idle -= 1
            lane.tasks.put(leg)
        else:
            threading.Thread(target=self._serve, args=(leg,), name="actionbox-leg", daemon=True).start()

    def _serve(self, leg: LegTask | None) -> None:
        """A thread's life: legs of one lane."""
        assert leg is not None
        lane = self._lanes[leg.lane]
        clock = time.pthread_getcpuclockid(threading.get_ident())
        while True:
            if leg is None:
                leg = lane.tasks.get()
            pace = Pass(self._gate, gated=leg.lane != _NORMAL, at_end=partial(self._guest_ended, leg))
            leg.clock, leg.pace = clock, pace
            leg.cpu, leg.since = time.clock_gettime(clock), time.monotonic()
            self._running.add(leg)
            if not self._some.is_set():
                self._some.set()
            with paced(pace):
                leg.work(leg)
            pace.leave()
            leg = self._ended(leg, lane)

    def _guest_ended(self, leg: LegTask) -> None:
        if leg.long or (leg.pace is not None and leg.pace.gated):
            with self._lock:
                self._tell(leg.number, "ends")

    def _ended(self, leg: LegTask, lane: _Lane) -> LegTask | None:
        """The next task of the thread; None: it waits."""
        with self._lock:
            self._running.discard(leg)
            following = self._leave(leg) if leg.holds else None
            if following is None:
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
            if not leg.long:
                self._measure(leg)

    def _measure(self, leg: LegTask) -> None:
        with self._lock:
            if leg not in self._running or leg.pace is None:
                return
            used = time.clock_gettime(leg.clock) - leg.cpu
            leg.pace.gated = leg.pace.gated or used > GATE_SECONDS
            if used > LONG_SECONDS:
                leg.long = True
                self._tell(leg.number, "long")
