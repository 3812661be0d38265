"""Computing in slices: after some ticks a guest asks, on its own thread, whether it may go on.

A deadline alone ends a guest. Whoever oversees one can let it wait for its turn instead, or count the
processor time that it really had.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final

import wasmtime
from wasmtime import _bindings as c

GoOn = Callable[[], int]
"""The ticks until the guest asks again; 0 stops it. Must not raise."""
_CONTINUE: Final = 0
_STOP: Final = b"stopped at the end of a slice"
_oversight: Final = threading.local()


class overseen:  # noqa: N801 - a context manager, used as a verb
    """While it is open, guests that run in slices on this thread ask `go_on`."""

    __slots__ = ("_go_on", "_outer")

    def __init__(self, go_on: GoOn) -> None:
        self._go_on = go_on

    def __enter__(self) -> None:
        self._outer = getattr(_oversight, "go_on", None)
        _oversight.go_on = self._go_on

    def __exit__(self, *_: object) -> None:
        _oversight.go_on = self._outer


def run_in_slices(store: wasmtime.Store, ticks: int) -> None:
    """Guests of `store` ask after `ticks` and from then on as often as they are told; where nobody oversees
    them they are stopped, as at a deadline."""
    c.wasmtime_store_epoch_deadline_callback(store.ptr(), _CALLBACK, None, _NO_FINALIZER)
    store.set_epoch_deadline(ticks)


def _ask(_context: Any, _data: Any, ticks: Any, kind: Any) -> int:
    try:
        go_on = _oversight.go_on
        granted = 0 if go_on is None else go_on()
        if granted > 0:
            ticks[0], kind[0] = granted, _CONTINUE
            return 0
    except BaseException:  # noqa: BLE001, S110 - nothing may pass into the runtime; the guest is stopped
        pass
    return int(ctypes.cast(c.wasmtime_error_new(_STOP), ctypes.c_void_p).value or 0)


_signature: Final = c._wasmtime_store_epoch_deadline_callback.argtypes
_CALLBACK: Final = _signature[1](_ask)
_NO_FINALIZER: Final = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))
