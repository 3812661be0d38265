"""A small stock of warmed instances that have seen no tenant, so that instantiating is off the path."""

from __future__ import annotations

import logging
import threading
from collections import deque

from sandbox.python.instance import Guest, Instance

_log = logging.getLogger(__name__)


class Pool:
    """Hands out each instance once; a daemon thread makes the next ones.

    Args:
        size: instances kept ready (1.3 MB of private memory each); 0: make each when it is wanted.
    """

    def __init__(self, guest: Guest, size: int) -> None:
        self._guest = guest
        self._size = size
        self._ready: deque[Instance] = deque()
        self._used: deque[Instance] = deque()
        self._wanted = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def take(self) -> Instance:
        """A fresh instance: from the stock if there is one, else made now. The caller closes it.

        Raises:
            RuntimeError: the pool is closed.
        """
        with self._wanted:
            if self._closed:
                raise RuntimeError("the Python sandbox is closed")
            self._start()
            found = self._ready.popleft() if self._ready else None
            self._wanted.notify()
        return found if found is not None else self._guest.instantiate()

    def give_back(self, instance: Instance) -> None:
        """Drop a used instance: unmapping its memory takes half a millisecond, which the thread spends."""
        instance.shut()
        with self._wanted:
            later = self._thread is not None and not self._closed and len(self._used) < self._size
            if later:
                self._used.append(instance)
                self._wanted.notify_all()
        if not later:
            instance.close()

    def fill(self) -> None:
        """Wait until the stock is full (for measurements)."""
        with self._wanted:
            self._start()
            self._wanted.wait_for(lambda: self._closed or len(self._ready) >= self._size)

    def close(self) -> None:
        """Stop the thread and drop the stock. May be called twice."""
        with self._wanted:
            self._closed = True
            self._wanted.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        for instances in (self._ready, self._used):
            while instances:
                instances.popleft().close()

    def _start(self) -> None:
        if self._size and self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="actionbox-python-pool", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: self._closed or self._used or len(self._ready) < self._size)
                if self._closed:
                    return
                used = self._used.popleft() if self._used else None
                short = len(self._ready) < self._size
            if used is not None:
                used.close()
            if short and not self._add():
                return

    def _add(self) -> bool:
        try:
            instance = self._guest.instantiate()
        except Exception:  # noqa: BLE001 - the next `take` reports it
            _log.exception("a Python instance could not be made ahead; each will be made when wanted")
            return False
        with self._wanted:
            if self._closed:
                instance.close()
                return False
            self._ready.append(instance)
            self._wanted.notify_all()
        return True
