"""The gate that long legs pass: one of them computes at a time, and none works while a short one does.

Threads that call the host in a row take the interpreter lock from each other at every call, and a short leg
needs it some fifty times: sixteen floods of logs made it a hundred times slower. Lower priorities made it
worse, because a thread that had the lock then waited for a core. So long legs wait for their turn, without
the lock and without a core, and their threads are like all others.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Final

_SHORT_SECONDS: Final = 0.01
"""Longest wait for short legs; then a long one goes on for a while, however many there are."""
_FREE_SECONDS: Final = 0.005
_HEAD_START: Final = 0.03
"""Seconds of computing by which a leg that is new here comes before the others."""


class Gate:
    """For one worker. `slow`: held by a leg that computes beside them, without the interpreter lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: Pass | None = None
        self._waiting: list[Pass] = []
        self.slow = threading.Semaphore()
        self._idle = threading.Event()
        self._idle.set()

    def short_legs(self, running: bool) -> None:
        """Whether one runs from now on."""
        if running:
            self._idle.clear()
        else:
            self._idle.set()

    def enter(self, leg: Pass) -> None:
        """Wait for the turn of `leg`, until its time is over."""
        with self._lock:
            if self._holder is None or self._holder is leg:
                self._give(leg)
                return
            self._wait_in_line(leg)
        self._await(leg)

    def exchange(self, leg: Pass) -> None:
        """Let another one have the turn if its turn it is, and wait for the next one."""
        with self._lock:
            if self._holder is leg:
                leg.pause()
                following = self._first()
                if following is None or following.order > leg.order:
                    leg.begin()
                    return
                self._wait_in_line(leg)
                self._waiting.remove(following)
                self._give(following)
                following.go.set()
            elif self._holder is None:
                self._give(leg)
                return
            else:
                self._wait_in_line(leg)
        self._await(leg)

    def leave(self, leg: Pass) -> None:
        """The leg waits for something, or is over."""
        with self._lock:
            if self._holder is not leg:
                return
            leg.pause()
            following = self._holder = self._first()
            if following is not None:
                self._waiting.remove(following)
                self._give(following)
                following.go.set()

    def holds(self, leg: Pass) -> bool:
        """Whether it is the leg's turn."""
        return self._holder is leg

    def let_short_ones_pass(self, leg: Pass) -> None:
        """Wait while short legs run, for at most a while."""
        if self._idle.is_set():
            return
        now = time.monotonic()
        if now < leg.free_until:
            return
        if not self._idle.wait(max(0.0, min(_SHORT_SECONDS, leg.until - now))):
            leg.free_until = time.monotonic() + _FREE_SECONDS

    # --- under the lock ---

    def _give(self, leg: Pass) -> None:
        self._holder = leg
        leg.begin()

    def _first(self) -> Pass | None:
        return min(self._waiting, key=lambda leg: leg.order, default=None)

    def _wait_in_line(self, leg: Pass) -> None:
        if leg.is_new:
            leg.is_new = False
            others = [item.used for item in (*self._waiting, self._holder) if item is not None]
            leg.used += min(others, default=0.0) - _HEAD_START
        leg.go.clear()
        self._waiting.append(leg)

    # --- not under the lock ---

    def _await(self, leg: Pass) -> None:
        left = None if leg.until == math.inf else max(0.0, leg.until - time.monotonic())
        if leg.go.wait(left):
            return
        with self._lock:
            if leg in self._waiting:
                self._waiting.remove(leg)


class Pass:
    """Of one leg: a `sandbox.core.pace.Pace`.

    Attributes:
        used: seconds of turns that it had, and what puts it in its place among the others.
    """

    __slots__ = (
        "_at_end", "_began", "_gate", "_has_ended", "free_until", "gated", "go", "is_new", "until", "used"
    )  # fmt: skip

    def __init__(self, gate: Gate, *, gated: bool = False, at_end: Callable[[], None] = lambda: None) -> None:
        """`at_end`: called when a guest is over."""
        self._gate = gate
        self._at_end = at_end
        self._began = 0.0
        self._has_ended = False
        self.gated = gated
        self.until = math.inf
        self.go = threading.Event()
        self.is_new = True
        self.used = 0.0
        self.free_until = 0.0

    @property
    def order(self) -> tuple[bool, float]:
        """Its place in the line. Legs whose guest is over come first: what is left of them is short, and once
        begun it makes room; behind guests, of which there is always a newer one, they waited for ever."""
        return (not self._has_ended or self.until < math.inf, self.used)

    def step(self) -> None:
        """See `Pace.step`."""
        gate = self._gate
        if self.gated:
            if not gate.holds(self):
                gate.enter(self)
            gate.let_short_ones_pass(self)

    def turn(self) -> None:
        """See `Pace.turn`."""
        if self.gated:
            self._gate.exchange(self)  # what the guest computes needs no lock that short ones wait for

    def begin_slow(self) -> bool:
        """See `Pace.begin_slow`."""
        left = None if self.until == math.inf else max(0.0, self.until - time.monotonic())
        return self._gate.slow.acquire(timeout=left)

    def end_slow(self) -> None:
        """See `Pace.end_slow`."""
        self._gate.slow.release()

    def ended(self) -> None:
        """See `Pace.ended`."""
        self._has_ended = True
        self._at_end()

    def leave(self) -> None:
        """See `Pace.leave`; harmless when it is not its turn."""
        self._gate.leave(self)

    def begin(self) -> None:
        """Its turn begins. Under the gate's lock."""
        self._began = time.monotonic()

    def pause(self) -> None:
        """Its turn has ended, or is counted so far. Under the gate's lock."""
        self.used += time.monotonic() - self._began
