"""How fast an execution may go: whoever runs several beside each other can let long ones wait for short ones.

Engines ask the pace of their thread before each host call, after each slice of computing, and around every
wait. Where a thread has none, as outside workers, guests run as fast as they can.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Final, Protocol

_threads: Final = threading.local()


class Pace(Protocol):
    """Of one thread. Its methods may block, and do not raise.

    Attributes:
        gated: whether `step` and `turn` have to be called at all; may be set by another thread.
        until: when the present wait or computation has to end, in `time.monotonic()` seconds.
    """

    gated: bool
    until: float

    def step(self) -> None:
        """Work in the interpreter begins, such as that of a host call."""
        ...

    def turn(self) -> None:
        """A slice of computing has ended; the next one begins with the return."""
        ...

    def begin_slow(self) -> bool:
        """Wait until no other thread computes slowly; False when the time was over before."""
        ...

    def end_slow(self) -> None:
        """The slow computation is over."""
        ...

    def ended(self) -> None:
        """A guest is over; what it did is still to be written down."""
        ...

    def leave(self) -> None:
        """The thread waits for something from now on; `step` comes next."""
        ...


def current() -> Pace | None:
    """The pace of this thread."""
    return getattr(_threads, "pace", None)


@contextlib.contextmanager
def paced(pace: Pace | None) -> Iterator[None]:
    """This thread goes at `pace` for the block."""
    outer = current()
    _threads.pace = pace
    try:
        yield
    finally:
        _threads.pace = outer


def breathe() -> None:
    """For loops of the host's own over much that an execution did: let others go first."""
    pace = current()
    if pace is not None and pace.gated:
        pace.step()


@contextlib.contextmanager
def slow() -> Iterator[None]:
    """The block computes for long without the interpreter lock: beside who has the turn, one at a time."""
    pace = current()
    if pace is None:
        yield
        return
    pace.gated = True
    pace.leave()
    began = pace.begin_slow()
    try:
        yield
    finally:
        if began:
            pace.end_slow()
        pace.step()


def ended() -> None:
    """The guest of this thread is over; what follows is the host's own work on what it did."""
    pace = current()
    if pace is not None:
        pace.until = math.inf
        pace.ended()
        breathe()


@contextlib.contextmanager
def away() -> Iterator[None]:
    """The block waits for something; whoever is next may have this thread's turn meanwhile."""
    pace = current()
    if pace is None or not pace.gated:
        yield
        return
    pace.leave()
    try:
        yield
    finally:
        pace.step()
