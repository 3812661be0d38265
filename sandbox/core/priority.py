"""Threads and processes that give way to others: on Linux, where each thread has a priority of its own."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import Final

LOW_NICE: Final = 10


def give_way(thread: int | None = None) -> None:
    """Lower the priority of a thread (its native id, or the id of a process that has one thread yet; None:
    the calling one), for good: none may raise it again. Threads that it starts inherit it. Nothing happens
    where threads have no priority of their own."""
    if not sys.platform.startswith("linux"):
        return  # elsewhere it would be the whole process's
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id() if thread is None else thread, LOW_NICE)
