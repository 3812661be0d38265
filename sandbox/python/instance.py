"""One fresh instance of the guest: a store, its limits and its three functions."""

from __future__ import annotations

import ctypes
import time
from typing import Any, Final

import wasmtime
from wasmtime import WasmtimeError
from wasmtime import _bindings as c
from wasmtime.component import Component, ExportIndex, Linker

from sandbox.core.caps import MAX_TABLE_ELEMENTS, MIB, Limits
from sandbox.core.pace import current
from sandbox.port.interface import HostPort
from sandbox.python import memory_export, values
from sandbox.python.imports import Binding, define_imports
from sandbox.wasm.binary import PAGE_BYTES
from sandbox.wasm.engine import TICK_SECONDS, ticks
from sandbox.wasm.slices import Timed, longest, overseen

_EXPORTS: Final = ("warm", "build", "execute")
_WARM_SECONDS: Final = 30.0
MAX_ANSWER_BYTES: Final = 8 * MIB
"""Of what an export returns; the compiler keeps code below 4 MiB, which base64 makes 5.4."""
_SPARE_TICKS: Final = 2
"""The ticker makes late ticks good in a burst; without these a guest could be stopped early."""


class WarmError(RuntimeError):
    """The guest cannot be made ready."""


class Guest:
    """The compiled image with its imports defined: makes instances. Safe to use from several threads."""

    def __init__(self, engine: wasmtime.Engine, component: Component) -> None:
        self.engine = engine
        self.component = component
        self._linker = Linker(engine)
        self._callbacks = define_imports(self._linker, component)
        self._exports = {name: self._export(name) for name in _EXPORTS}
        measure = component.get_export_index(memory_export.EXPORT)
        if measure is not None:
            self._exports[memory_export.EXPORT] = measure

    def _export(self, name: str) -> ExportIndex:
        index = self.component.get_export_index(name)
        if index is None:
            raise RuntimeError(f"the Python image has no export {name}")
        return index

    def instantiate(self) -> Instance:
        """A new instance, ready for its one execution: it has run nothing of a tenant's."""
        return Instance(self.engine, self.component, self._linker, self._exports)


class Instance:
    """A store with one guest in it, for one use."""

    def __init__(
        self, engine: wasmtime.Engine, component: Component, linker: Linker, exports: dict[str, ExportIndex]
    ) -> None:
        self._binding = Binding()
        self._timed: Timed | None = None
        self._store = wasmtime.Store(engine)
        try:
            c.wasmtime_context_set_data(self._store._context(), ctypes.c_void_p(self._binding.number))
            self._limit(Limits().memory_bytes)
            self._store.set_epoch_deadline(ticks(_WARM_SECONDS))
            self._functions = self._find(linker.instantiate(self._store, component), exports)
        except BaseException:
            self.close()
            raise

    def _limit(self, memory_bytes: int) -> None:
        self._store.set_limits(
            memory_size=memory_bytes, table_elements=MAX_TABLE_ELEMENTS, memories=2, tables=8, instances=200
        )

    def _find(self, instance: Any, exports: dict[str, ExportIndex]) -> dict[str, Any]:
        found = {}
        for name, index in exports.items():
            function = instance.get_func(self._store, index)
            if function is None:
                raise RuntimeError(f"the Python image's {name} is not a function")
            found[name] = function._func
        return found

    def warm(self) -> None:
        """Run the rehearsal and connect the guest to the host. Only for the instance that becomes the image.

        Raises:
            WarmError: it does not work.
        """
        try:
            answer = self.call("warm")
        except WasmtimeError as error:
            answer = str(error)
        if answer != "ready":
            raise WarmError(f"the Python image does not work: {answer}")

    def bind(self, port: HostPort | None, limits: Limits, deadline: float, least: float = 0.0) -> None:
        """From now on host calls go to `port`, and the limits are those of this execution.

        Args:
            deadline: in `time.monotonic()` seconds.
            least: see `Timed`.
        """
        self._binding.port = port
        self._binding.pace = current()
        self._binding.deadline = deadline + longest(least)
        self._limit(limits.memory_bytes)
        spare = _SPARE_TICKS * TICK_SECONDS
        self._timed = Timed(self._store, max(deadline, time.monotonic()) + spare, least=least)

    @property
    def binding(self) -> Binding:
        return self._binding

    def call(self, name: str, *arguments: str) -> str:
        """Call an export of strings.

        Raises:
            WasmtimeError: it trapped; the text says why.
        """
        with overseen(self._go_on):
            return values.call_strings(
                self._functions[name], self._store._context(), arguments, MAX_ANSWER_BYTES
            )

    def _go_on(self) -> int:
        return 0 if self._timed is None else self._timed.go_on()

    def memory_bytes(self) -> int:
        """Linear memory now, which is the most it ever was: it never shrinks. 0: the image cannot tell.

        Raises:
            WasmtimeError: the guest trapped before; nothing can be asked of it any more.
        """
        measure = self._functions.get(memory_export.EXPORT)
        if measure is None:
            return 0
        with overseen(self._go_on):
            return values.call_number(measure, self._store._context()) * PAGE_BYTES

    def shut(self) -> None:
        """Nothing more crosses to the host; the memory may be dropped later."""
        self._binding.close()

    def close(self) -> None:
        """Drop everything; an instance is never used twice (threat-model I1)."""
        self._binding.close()
        self._store.close()


__all__ = ["Guest", "Instance", "WarmError", "WasmtimeError"]
