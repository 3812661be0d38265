"""A small stock of warmed instances that have seen no tenant, so that instantiating is off the path."""

from __future__ import annotations

import logging
import threading
from collections import deque

from sandbox.python.instance import Guest, Instance

_log = logging.getLogger(__name__)


class Pool:
    """Hands out each instance once; a daemon thread makes the next ones and drops the used ones.

    Mapping and unmapping memory stops every other thread of the process that touches new pages, so the
    thread works between executions as long as the stock lasts.

    Args:
        guest: makes instances.
        size: instances kept ready (1 MB of private memory each); 0: make each when it is wanted.
    """

    def __init__(self, guest: Guest, size: int) -> None:
        self._guest = guest
        self._size = size
        self._ready: deque[Instance] = deque()
        self._used: deque[Instance] = deque()
        self._busy = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

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
            found = self._ready.popleft() if self._ready else None
            self._changed.notify_all()
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
            later = self._thread is not None and not self._closed and len(self._used) < self._size
            if later:
                self._used.append(instance)
            self._changed.notify_all()
        if not later:
            instance.close()

    def fill(self) -> None:
        """Wait until the stock is full and everything used is dropped (for measurements)."""
        with self._changed:
            self._start()
            self._changed.wait_for(lambda: self._closed or not (self._short() or self._used))

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

    def _short(self) -> bool:
        return len(self._ready) < self._size

    def _has_work(self) -> bool:
        """There is something to do that should not wait for a quiet moment, or this is one."""
        pressing = 2 * len(self._ready) < self._size or len(self._used) >= self._size
        return pressing or (self._busy == 0 and (self._short() or bool(self._used)))

    def _start(self) -> None:
        if self._size and self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="actionbox-python-pool", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._has_work())
                if self._closed:
                    return
                used = self._used.popleft() if self._used else None
                short = self._short()
            if short and not self._add():
                return
            if used is not None:
                used.close()
                with self._changed:
                    self._changed.notify_all()

    def _add(self) -> bool:
        try:
            instance = self._guest.instantiate()
        except Exception:  # noqa: BLE001 - the next `take` reports it
            _log.exception("a Python instance could not be made ahead; each will be made when wanted")
            return False
        with self._changed:
            if self._closed:
                instance.close()
                return False
            self._ready.append(instance)
            self._changed.notify_all()
        return True
