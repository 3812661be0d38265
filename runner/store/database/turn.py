"""Turns at writing: one thread at a time, in order, those on which a login hangs first."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final


class WriterTurn:
    """A lock that its thread may take again. What a login waits for would else queue behind every client of
    the Management API, with a wait for the disk each."""

    def __init__(self) -> None:
        self._mutex: Final = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._urgent: Final[deque[_Waiting]] = deque()
        self._others: Final[deque[_Waiting]] = deque()

    def acquire(self, timeout: float, *, urgent: bool = False) -> bool:
        """Wait for the turn, at most `timeout` seconds; whether it is ours."""
        me = threading.get_ident()
        line = self._urgent if urgent else self._others
        with self._mutex:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return True
            waiting = _Waiting(me)
            line.append(waiting)
        if waiting.ours.wait(timeout):
            return True
        with self._mutex:
            if waiting.ours.is_set():
                return True
            line.remove(waiting)
            return False

    def release(self) -> None:
        """Give the turn to the next. To be called by its owner, as often as it acquired it."""
        with self._mutex:
            self._depth -= 1
            if self._depth:
                return
            line = self._urgent or self._others
            if not line:
                self._owner = None
                return
            following = line.popleft()
            self._owner, self._depth = following.thread, 1
            following.ours.set()


class _Waiting:
    __slots__ = ("ours", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.ours = threading.Event()
