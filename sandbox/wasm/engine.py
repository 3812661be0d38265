"""wasmtime engines as this project uses them, and the ticker that drives their deadlines."""

from __future__ import annotations

import ctypes
import threading
import time
import weakref
from typing import Final

import wasmtime
from wasmtime import _bindings as c
from wasmtime import _ffi as ffi  # type: ignore[attr-defined, unused-ignore]

from sandbox.core.caps import MAX_WASM_STACK_BYTES
from sandbox.wasm.memories import Creator

TICK_SECONDS: Final = 0.005
"""Resolution of every deadline: the epoch advances this often."""

_OFF: Final = (
    "wasm_threads",
    "wasm_gc",
    "wasm_exceptions",
    "wasm_function_references",
    "wasm_stack_switching",
    "wasm_memory64",
    "wasm_multi_memory",
    "wasm_relaxed_simd",
    "wasm_custom_page_sizes",
    "wasm_tail_call",
)
"""Proposals that no guest image needs (threat-model 5)."""


def make_engine(*, component_model: bool, memories: Creator | None = None) -> wasmtime.Engine:
    """An engine with epoch interruption and no more of WebAssembly than the images need.

    The engine is registered with the ticker and lives until the process ends or it is collected.

    Args:
        component_model: whether it runs components.
        memories: make all linear memories, in place of wasmtime.
    """
    config = wasmtime.Config()
    config.epoch_interruption = True
    # For calls that we never make; but it must not be smaller than the next, or the process is aborted.
    ffi.wasmtime_config_async_stack_size_set(config.ptr(), MAX_WASM_STACK_BYTES)
    config.max_wasm_stack = MAX_WASM_STACK_BYTES
    config.memory_may_move = False  # GuestMemory keeps the base address
    # Whoever installs a signal handler after us (faulthandler does) would turn a guest's trap into the
    # end of this process; explicit checks cost nothing that `make bench` can see.
    config.signals_based_traps = False
    for name in _OFF:
        if hasattr(type(config), name):
            setattr(config, name, False)
    config.wasm_component_model = component_model
    if memories is not None:
        c.wasmtime_config_host_memory_creator_set(config.ptr(), ctypes.byref(memories.creator))
    engine = wasmtime.Engine(config)
    _TICKER.add(engine)
    return engine


def configuration_key() -> str:
    """Names this configuration; a compiled artefact is only good for the one it was made under."""
    off = " ".join(_OFF)
    return f"epoch; stack {MAX_WASM_STACK_BYTES}; memory stays; traps checked; off {off}"


def ticks(seconds: float) -> int:
    """Epoch ticks until `seconds` from now have passed for sure; at least one."""
    return max(1, int(seconds / TICK_SECONDS) + 1)


class _Ticker:
    """One daemon thread that advances the epoch of every live engine.

    Guests run with the GIL released, so the thread is never starved by guest work.
    """

    def __init__(self) -> None:
        self._engines: weakref.WeakSet[wasmtime.Engine] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, engine: wasmtime.Engine) -> None:
        with self._lock:
            self._engines.add(engine)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="actionbox-epoch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + TICK_SECONDS
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            with self._lock:
                engines = list(self._engines)
            # Late wake-ups are made good, else deadlines would drift by the scheduler's delay.
            while due <= time.monotonic():
                for engine in engines:
                    engine.increment_epoch()
                due += TICK_SECONDS


_TICKER: Final = _Ticker()
