"""Signals at the edges of a service's life; while it serves, its loop has them."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def in_order() -> Iterator[threading.Event]:
    """Within the block SIGTERM ends this process in order and with status 0, unless something else takes it:
    the first process of a container would not even see it otherwise. After the block, when the process is
    ending, further ones change nothing. For the main thread.

    Yields:
        what is set once SIGTERM has come. Whoever takes the signal over looks at it: the exception that ends
        the process is swallowed where one cannot leave, as in a destructor.
    """
    told = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        told.set()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
