"""A stock of fresh instances that have seen no tenant, so that instantiating is off the path."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import Final

from sandbox.python.instance import Guest, Instance

_log = logging.getLogger(__name__)

MOST: Final = 24
"""Instances kept ready at most: a flow of twenty Actions finds one for each."""
QUIET_SECONDS: Final = 0.003
"""So long nothing is taken before the stock is filled up: not between two Actions of a flow."""
MOST_QUIET_SECONDS: Final = 0.024
"""The wait doubles up to this while there is no quiet moment, so that load is not made worse."""


class Pool:
    """Hands out each instance once; a daemon thread makes the next ones and drops the used ones.

    The thread works when nobody is running: else it would take processor and interpreter lock from an
    execution, and making an instance oneself costs less than waiting for a thread that waits for a core. The
    stock grows to as many instances as were taken in one go, and shrinks by one whenever fewer were. With
    nothing to do the thread sleeps without a timeout.

    Args:
        guest: makes instances.
        size: instances kept ready at least (1 MB of private memory each); 0: make each when it is wanted.
    """

    def __init__(self, guest: Guest, size: int) -> None:
        self._guest = guest
        self._size = size
        self._wanted = size
        self._ready: deque[Instance] = deque()
        self._used: deque[Instance] = deque()
        self._busy = 0
        self._burst = 0
        self._taken = 0
        self._quiet_at = -1
        self._urgent = 0
        self._sleeping = False
        self._working = False
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def ready(self) -> int:
        """Instances in stock."""
        return len(self._ready)

    def take(self) -> Instance:
        """A fresh instance: from the stock if there is one, else made now. The caller gives it back.

        Raises:
            RuntimeError: the pool is closed.
        """
        with self._changed:
            if self._closed:
                raise RuntimeError("the Python sandbox is closed")
            self._start()
            self._busy += 1
            self._taken += 1
            self._burst += 1
            if self._size:
                self._wanted = max(self._wanted, min(self._burst, MOST))
            found = self._ready.popleft() if self._ready else None
        if found is not None:
            return found
        try:
            return self._guest.instantiate()
        except BaseException:
            with self._changed:
                self._busy -= 1
            raise

    def give_back(self, instance: Instance) -> None:
        """Drop a used instance: now if the thread has enough to drop already."""
        instance.shut()
        with self._changed:
            self._busy -= 1
            later = self._thread is not None and not self._closed and len(self._used) < self._wanted
            if later:
                self._used.append(instance)
            if self._sleeping and not self._busy:
                self._changed.notify_all()
        if not later:
            instance.close()

    def fill(self) -> None:
        """Wait until the stock is full and everything used is dropped, or that has failed."""
        with self._changed:
            self._start()
            self._urgent += 1
            self._changed.notify_all()
            self._changed.wait_for(self._done)
            self._urgent -= 1

    def close(self) -> None:
        """Stop the thread and drop the stock. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        for instances in (self._ready, self._used):
            while instances:
                instances.popleft().close()

    # --- the thread ---

    def _done(self) -> bool:
        return self._thread is None or not (self._working or self._lacking())

    def _lacking(self) -> bool:
        return len(self._ready) < self._wanted or bool(self._used)

    def _start(self) -> None:
        if self._size and self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="actionbox-python-pool", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._await_work()
                if self._closed:
                    return
                self._working = True
                gone = self._used.popleft() if self._used else None
                short = len(self._ready) < self._wanted
            if gone is not None:
                gone.close()  # first: its memory serves the next one
            made = self._make() if short else None
            with self._changed:
                self._working = False
                surplus = self._settle(made)
                failed = short and made is None and not self._closed
                if failed:
                    self._thread = None  # the next `take` starts another one
                self._changed.notify_all()
            if surplus is not None:
                surplus.close()
            if failed:
                return

    def _await_work(self) -> None:
        patience = QUIET_SECONDS
        while not (self._closed or (self._lacking() and (self._urgent or self._quiet_at == self._taken))):
            if self._busy or not self._lacking():
                self._sleeping = True
                self._changed.wait()
                self._sleeping = False
                continue
            before = self._taken
            self._changed.wait(patience)
            if not self._busy and self._taken == before:
                self._quiet_at = before
            patience = min(2 * patience, MOST_QUIET_SECONDS)

    def _settle(self, made: Instance | None) -> Instance | None:
        """Put `made` into the stock. Once that is full: how large it should be after what was taken lately.
        One instance that is too many now, if there is one."""
        if self._closed:
            return made
        if made is not None:
            self._ready.append(made)
        if not self._burst or self._busy or self._lacking():
            return None
        self._wanted = max(self._size, self._wanted - 1, min(self._burst, MOST))
        self._burst = 0
        return self._ready.pop() if len(self._ready) > self._wanted else None

    def _make(self) -> Instance | None:
        try:
            return self._guest.instantiate()
        except Exception:  # noqa: BLE001 - the next `take` reports it
            _log.exception("a Python instance could not be made ahead; each will be made when wanted")
            return None
