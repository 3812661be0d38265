"""One event loop on one daemon thread per process: all requests of all executions run there."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

_Result = TypeVar("_Result")


class _Background:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self._loop.run_forever, name="actionbox-egress", daemon=True)
                thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def forget(self) -> None:
        """In a forked child the thread is gone: the next request starts another."""
        self._lock = threading.Lock()
        self._loop = None


_BACKGROUND: Final = _Background()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_BACKGROUND.forget)


def submit(work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
    """Run `work` on the background loop. Its future may be cancelled from any thread."""
    return _BACKGROUND.submit(work)
