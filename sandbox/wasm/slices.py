"""Computing in slices: after some ticks a guest asks, on its own thread, whether it may go on.

A deadline alone ends a guest. Whoever oversees one can let it wait for its turn instead, or count the
processor time that it really had.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c

from sandbox.core.pace import current
from sandbox.wasm.engine import ticks

GoOn = Callable[[], int]
"""The ticks until the guest asks again; 0 stops it. Must not raise."""
STOPPED: Final = "stopped at the end of a slice"
"""What the runtime says of a guest that was not let go on."""
_SLICE_TICKS: Final = 2
_STARVED: Final = 5
_CONTINUE: Final = 0
_STOP: Final = STOPPED.encode()


class _Oversight(threading.local):
    go_on: GoOn | None = None
    stopped = False


_oversight: Final = _Oversight()


class overseen:  # noqa: N801 - a context manager, used as a verb
    """While it is open, guests that run in slices on this thread ask `go_on`."""

    __slots__ = ("_go_on", "_outer")

    def __init__(self, go_on: GoOn) -> None:
        self._go_on = go_on

    def __enter__(self) -> None:
        self._outer = _oversight.go_on
        _oversight.go_on = self._go_on

    def __exit__(self, *_: object) -> None:
        _oversight.go_on = self._outer


def run_in_slices(store: wasmtime.Store, first: int) -> None:
    """Guests of `store` ask after `first` ticks and from then on as often as they are told; where nobody
    oversees them they are stopped, as at a deadline."""
    c.wasmtime_store_epoch_deadline_callback(store.ptr(), _CALLBACK, None, _NO_FINALIZER)
    _oversight.stopped = False
    store.set_epoch_deadline(first)


def was_stopped() -> bool:
    """Whether the last guest that ended on this thread was not let go on. Asked once for each."""
    stopped, _oversight.stopped = _oversight.stopped, False
    return stopped


def longest(least: float) -> float:
    """Seconds on the clock in which a guest has to come by `least` seconds of processor time."""
    return _STARVED * least


class Timed:
    """A store whose guest runs until a deadline: at one go, or in slices where the thread has a pace."""

    def __init__(
        self, store: wasmtime.Store, until: float, patience: float = 0.0, least: float = 0.0
    ) -> None:
        """Args:
        until: in `time.monotonic()` seconds.
        patience: seconds of waiting for turns that count not.
        least: seconds of processor time that it gets past `until`, however busy the machine is, within
            `longest(least)`. To be made by the guest's thread.
        """
        self.store = store
        self._patience = patience
        self._pace = current()
        self._fair = time.thread_time() + least if least else 0.0
        self._longest = longest(least)
        if self._pace is not None or least:
            run_in_slices(store, _SLICE_TICKS)
        self.arm(until)

    def arm(self, until: float) -> None:
        """Let the guest run until then. To be called while it does not run."""
        self._until = until
        _oversight.stopped = False  # of a guest before, whose end was told in other words
        if self._pace is not None:
            self._pace.until = until + self._patience + self._longest
        self.store.set_epoch_deadline(self._ticks())

    def go_on(self) -> int:
        """See `GoOn`."""
        pace = self._pace
        began = time.monotonic()
        if pace is not None and pace.gated and began < self._until + self._longest:
            pace.turn()
            waited = min(time.monotonic() - began, self._patience)
            self._patience -= waited
            self._until += waited
        now = time.monotonic()
        if now < self._until:
            return self._ticks()
        return _SLICE_TICKS if now < self._until + self._longest and time.thread_time() < self._fair else 0

    def _ticks(self) -> int:
        left = ticks(self._until - time.monotonic())
        return left if self._pace is None else min(_SLICE_TICKS, left)


def _ask(_context: Any, _data: Any, granted: Any, kind: Any) -> int:
    try:
        go_on = _oversight.go_on
        found = 0 if go_on is None else go_on()
        if found > 0:
            granted[0], kind[0] = found, _CONTINUE
            return 0
    except BaseException:  # noqa: BLE001, S110 - nothing may pass into the runtime; the guest is stopped
        pass
    _oversight.stopped = True
    return int(ctypes.cast(c.wasmtime_error_new(_STOP), ctypes.c_void_p).value or 0)


_signature: Final = c._wasmtime_store_epoch_deadline_callback.argtypes
_CALLBACK: Final = _signature[1](_ask)
_NO_FINALIZER: Final = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))
