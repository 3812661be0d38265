"""The pace of an execution: whoever runs several at once can let long ones wait for short ones.

Engines ask the pace of their thread before each host call, after each slice of computing, and around every
wait. Where a thread has none, as outside workers, guests run as fast as they can.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
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
        """The slow computation is over. Any thread may say so, after the execution too."""
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


class TooLateError(Exception):
    """The time of an execution was over before its turn came."""


@contextlib.contextmanager
def slow() -> Iterator[Callable[[], None]]:
    """The block waits for what computes long without the interpreter lock: beside who has the turn, and one
    at a time. It gets what the computation calls when it is over, which may be after the block.

    Raises:
        TooLateError: nothing of it may begin any more.
    """
    pace = current()
    if pace is None:
        yield lambda: None
        return
    pace.gated = True
    pace.leave()
    try:
        if not pace.begin_slow():
            raise TooLateError
        yield pace.end_slow
    finally:
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
