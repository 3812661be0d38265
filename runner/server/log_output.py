"""Output of log lines, which is never in the way of an answer, whatever becomes of standard error.

A pipe whose reader has gone, a full disk, a reader that does not read any more: what cannot be written is
counted, and the service goes on.
"""

from __future__ import annotations

import atexit
import io
import os
import threading
import time
from collections import deque
from typing import Final, TextIO

_MAX_WAITING: Final = 4 * 1024 * 1024
"""Characters that wait to be written, for a reader that is slow for a moment."""
_LAST_SECONDS: Final = 1.0
"""What the end of the process waits for them."""


class LogStream(io.TextIOBase):
    """A text stream that takes lines at once and writes them from a thread of its own.

    Safe between threads.
    """

    def __init__(self, target: TextIO | None) -> None:
        """`target`: None when there is nowhere to write to."""
        self._target = target
        self._descriptor = _descriptor(target)
        self._waiting: deque[str] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._writing = False
        self._lost = 0

    @property
    def lost(self) -> int:
        """Lines that were not written, since the start."""
        return self._lost

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._target is not None and self._target.isatty()

    def write(self, text: str) -> int:
        """Take `text`, which is one line; never raises, and never waits."""
        if not text.strip("\n"):
            return len(text)
        with self._changed:
            if self._target is None or self._size + len(text) > _MAX_WAITING:
                self._lost += 1
                return len(text)
            self._waiting.append(text if text.endswith("\n") else text + "\n")
            self._size += len(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
                atexit.register(self.drain)
            self._changed.notify_all()
        return len(text)

    def lose(self) -> None:
        """Count a line that could not even be made."""
        with self._changed:
            self._lost += 1

    def flush(self) -> None:
        """Nothing: whoever logs does not wait."""

    def drain(self, seconds: float = _LAST_SECONDS) -> None:
        """Wait until everything is written, for `seconds` at most."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (self._waiting or self._writing) and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                lines = list(self._waiting)
                taken = self._size
                self._waiting.clear()
                self._writing = True
            failed = self._put(lines)
            with self._changed:
                self._lost += failed
                self._size -= taken
                self._writing = False
                self._changed.notify_all()

    def _put(self, lines: list[str]) -> int:
        """Write lines; how many could not be."""
        failed = 0
        for line in lines:
            try:
                self._put_line(line)
            except Exception:  # noqa: BLE001 - there is nobody left to tell
                failed += 1
        return failed

    def _put_line(self, line: str) -> None:
        assert self._target is not None
        name = self._target.encoding or "utf-8"
        data = line.encode(name, "backslashreplace")
        if self._descriptor is None:
            self._target.write(data.decode(name))
            self._target.flush()
            return
        # Not through the stream: it keeps what it could not write, and at the end of the process Python waits
        # for it, or for the lock of a writer that has stalled.
        while data:
            data = data[os.write(self._descriptor, data) :]


def _descriptor(target: TextIO | None) -> int | None:
    try:
        return None if target is None else target.fileno()
    except (OSError, ValueError, AttributeError):
        return None
