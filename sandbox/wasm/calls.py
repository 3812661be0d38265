"""Calls into and out of core-module instances, without wasmtime-py's per-call conversions.

A checked call through wasmtime-py costs 18 us and a host import 20 us; these cost about 3 us each
(design 5). The price is that nobody checks arguments, so `Exports` is told the signatures once and
callers pass as many whole numbers as those say.

A host function here never raises: wasmtime-py parks exceptions in a process-wide variable, where
another execution can pick them up. It stops its guest by answering with a trap instead.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, cast

import wasmtime
from wasmtime import _ffi as ffi  # type: ignore[attr-defined, unused-ignore]

from sandbox.wasm.memory import GuestMemory
from sandbox.wasm.slices import was_stopped
from sandbox.wasm.traps import GuestStopped, StopKind, kind_of_code

# A handle of our own: prototypes set on it do not disturb wasmtime-py's.
_dll: Final = ctypes.CDLL(ffi.dll._name, handle=ffi.dll._handle)
# For what neither waits nor runs a guest: giving up the interpreter lock only invites others to take it.
_quick: Final = ctypes.PyDLL(ffi.dll._name, handle=ffi.dll._handle)
_call = _dll.wasmtime_func_call_unchecked
_call.restype = ctypes.c_void_p
_call.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t, ctypes.c_void_p]
_memory_data = _quick.wasmtime_memory_data
_memory_data.restype = ctypes.c_void_p
_memory_data.argtypes = [ctypes.c_void_p] * 2
_memory_data_size = _quick.wasmtime_memory_data_size
_memory_data_size.restype = ctypes.c_size_t
_memory_data_size.argtypes = [ctypes.c_void_p] * 2
_trap_new = _quick.wasmtime_trap_new
_trap_new.restype = ctypes.c_void_p
_trap_new.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
_trap_code = _quick.wasmtime_trap_code
_trap_code.restype = ctypes.c_bool
_trap_code.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_trap_delete = _quick.wasm_trap_delete
_trap_delete.restype = None
_trap_delete.argtypes = [ctypes.c_void_p]
_error_delete = _quick.wasmtime_error_delete
_error_delete.restype = None
_error_delete.argtypes = [ctypes.c_void_p]
_export_nth = _quick.wasmtime_instance_export_nth
_export_nth.restype = ctypes.c_bool
_export_nth.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_size_t] + [ctypes.c_void_p] * 3
_instantiate = _dll.wasmtime_instance_pre_instantiate
_instantiate.restype = ctypes.c_void_p
_instantiate.argtypes = [ctypes.c_void_p] * 4
_define = _dll.wasmtime_linker_define_func_unchecked

_CALLBACK: Final = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t
)
_define.restype = ctypes.c_void_p
_define.argtypes = [
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.c_void_p,
    _CALLBACK,
    ctypes.c_void_p,
    ctypes.c_void_p,
]

_SLOT: Final = ctypes.sizeof(ffi.wasmtime_val_raw_t)
_STRIDE: Final = _SLOT // 8
_MAX_ARGUMENTS: Final = 16
_Slots: Final = ctypes.c_int64 * (_MAX_ARGUMENTS * _STRIDE)
_MASK32: Final = 0xFFFF_FFFF


# Where wasmtime puts the name of an export, which nobody reads; any thread may overwrite it.
_name, _name_length = ctypes.c_void_p(), ctypes.c_size_t()
_name_at: Final = ctypes.addressof(_name)
_name_length_at: Final = ctypes.addressof(_name_length)


class StopGuest(Exception):  # noqa: N818 - not an error: a host function's way to end its guest
    """Raised by a host function to stop the guest that called it."""


class HostState(Protocol):
    """The state behind the imports of one execution."""

    def fault(self, error: BaseException) -> None:
        """A host function broke (our fault, or the operator's interrupt). Must not raise."""
        ...


class Import(NamedTuple):
    """One host function: `handle(state, *arguments)` gives its result (0 where it has none)."""

    module: str
    name: str
    parameters: str
    """One letter each: `i` for i32, `I` for i64."""
    results: str
    handle: Callable[..., int | None]


_running: Final = threading.local()


class entered:  # noqa: N801 - a context manager, used as a verb
    """While it is open, imports called on this thread belong to `state`."""

    __slots__ = ("_outer", "_state")

    def __init__(self, state: HostState) -> None:
        self._state = state

    def __enter__(self) -> None:
        self._outer = getattr(_running, "state", None)
        _running.state = self._state

    def __exit__(self, *_: object) -> None:
        _running.state = self._outer


def link(engine: wasmtime.Engine, module: wasmtime.Module, imports: Sequence[Import]) -> Linked:
    """`module` with its imports satisfied, ready to be instantiated any number of times."""
    linker = wasmtime.Linker(engine)
    keep = [_define_import(linker, item) for item in imports]
    return Linked(linker.instantiate_pre(module), keep)


class Linked:
    """A module ready to be instantiated. Keeps the trampolines of its imports alive."""

    def __init__(self, pre: wasmtime.InstancePre, keep: list[Any]) -> None:
        _keep_at_exit(pre)
        self._pre = pre
        self._keep = keep
        self._address = ctypes.cast(pre.ptr(), ctypes.c_void_p).value

    def instantiate(self, store: wasmtime.Store, exports: Mapping[str, int]) -> Exports:
        """A fresh instance in `store`. Raises `GuestStopped` when it does not fit the store's limits."""
        context = ctypes.cast(store._context(), ctypes.c_void_p).value or 0
        instance = ffi.wasmtime_instance_t()
        trap = ctypes.c_void_p()
        error = _instantiate(self._address, context, ctypes.addressof(instance), ctypes.addressof(trap))
        if error or trap.value:
            _raise_stop(error, trap, StopKind.OTHER)
        return Exports(self, store, context, instance, exports)


def _keep_at_exit(owner: Any) -> None:
    """wasmtime-py's finalizers fail when they run while the interpreter shuts down; what is alive then is
    left to the system. What is dropped before, say the image of an old version of an Action, is freed."""
    _alive.add(owner)


_alive: Final[weakref.WeakSet[Any]] = weakref.WeakSet()


@atexit.register
def _leave_alone() -> None:
    for owner in list(_alive):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))


def _define_import(linker: wasmtime.Linker, item: Import) -> Any:
    trampoline = _trampoline(item)
    kinds = {"i": wasmtime.ValType.i32(), "I": wasmtime.ValType.i64()}
    signature = wasmtime.FuncType([kinds[k] for k in item.parameters], [kinds[k] for k in item.results])
    module, name = item.module.encode(), item.name.encode()
    error = _define(
        ctypes.cast(linker.ptr(), ctypes.c_void_p),
        module,
        len(module),
        name,
        len(name),
        ctypes.cast(signature.ptr(), ctypes.c_void_p),
        trampoline,
        None,
        None,
    )
    if error:
        raise RuntimeError(f"cannot define the import {item.module}.{item.name}")
    return trampoline


def _trampoline(item: Import) -> Any:
    """A C callback around `item.handle` that lets no exception out."""
    count = len(item.parameters)
    has_result = bool(item.results)
    handle = item.handle
    offsets = tuple(range(0, count * _STRIDE, _STRIDE))
    from_address = _Slots.from_address

    def call(_env: int, _caller: int, slots: int, _count: int) -> int | None:
        state = _running.state
        try:
            values = from_address(slots)
            result = handle(state, *[values[offset] for offset in offsets])
            if has_result:
                values[0] = result or 0
        except StopGuest:
            return cast(int, _trap_new(b"stopped by the host", 19))
        except BaseException as error:  # noqa: BLE001 - nothing may pass into the runtime
            state.fault(error)
            return cast(int, _trap_new(b"stopped by the host", 19))
        return None

    return _CALLBACK(call)


def _raise_stop(error: int | None, trap: ctypes.c_void_p, kind_of_errors: StopKind) -> None:
    if error:  # not a trap of the machine's own: a trampoline's, a refused instantiation, the end of slices
        _error_delete(error)
        raise GuestStopped(StopKind.DEADLINE if was_stopped() else kind_of_errors)
    code = ctypes.c_uint8(0)
    known = _trap_code(trap, ctypes.addressof(code))
    _trap_delete(trap)
    raise GuestStopped(kind_of_code(code.value if known else None))


class Exports:
    """The functions (as attributes) and the memory of one instance. For one thread at a time.

    A function takes whole numbers and gives its first result as a 64-bit pattern; mask an i32 with
    `u32`. Each is looked up when it is first used. `positions` maps names to positions in the module's
    export section.
    """

    def __init__(
        self,
        linked: Linked,
        store: wasmtime.Store,
        context: int,
        instance: ffi.wasmtime_instance_t,
        positions: Mapping[str, int],
    ) -> None:
        self._alive = (linked, store)
        self._context = context
        self._instance = instance
        self._positions = positions
        self._slots = _Slots()
        self._slots_at = ctypes.addressof(self._slots)
        self._trap = ctypes.c_void_p()
        self._keep: list[Any] = []
        self.memory = self._open_memory(self._export("memory"))

    def __getattr__(self, name: str) -> Callable[..., int]:
        """Only reached for a name that is not looked up yet."""
        if name not in self._positions:
            raise AttributeError(f"the guest image does not export {name}")
        function = self.__dict__[name] = self._function(self._export(name))
        return function

    def _export(self, name: str) -> ffi.wasmtime_extern_t:
        item = ffi.wasmtime_extern_t()
        found = _export_nth(
            self._context,
            ctypes.addressof(self._instance),
            self._positions[name],
            _name_at,
            _name_length_at,
            ctypes.addressof(item),
        )
        if not found:
            raise RuntimeError("the guest image lacks an export")
        self._keep.append(item)
        return item

    def _open_memory(self, item: ffi.wasmtime_extern_t) -> GuestMemory:
        context, at = self._context, ctypes.addressof(item.of.memory)

        def size(
            _alive: object = (self._alive, item),
        ) -> int:  # not self: a cycle would wait for the collector
            return cast(int, _memory_data_size(context, at))

        return GuestMemory(_memory_data(context, at), size)

    def _function(self, item: ffi.wasmtime_extern_t) -> Callable[..., int]:
        at = ctypes.addressof(item.of.func)
        context, slots, slots_at, trap = self._context, self._slots, self._slots_at, self._trap
        trap_at = ctypes.addressof(trap)

        def call(*arguments: int) -> int:
            offset = 0
            for value in arguments:
                slots[offset] = value
                offset += _STRIDE
            error = _call(context, at, slots_at, _MAX_ARGUMENTS, trap_at)
            if error or trap.value:
                stopped = ctypes.c_void_p(trap.value)
                trap.value = None
                _raise_stop(error, stopped, StopKind.HOST)
            return slots[0]

        return call


def u32(value: int) -> int:
    """The unsigned reading of an i32 result."""
    return value & _MASK32
