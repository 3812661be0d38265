"""The host functions of the Python guest. Each treats its arguments as network input and never raises.

Which execution a call belongs to is a number kept in the wasmtime store; the functions themselves are
made once per process.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import math
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from wasmtime import WasmtimeError
from wasmtime import _bindings as c
from wasmtime.component import Component, Linker, LinkerInstance

from sandbox.core.caps import (
    MAX_API_ARGUMENT_BYTES,
    MAX_API_PATH_BYTES,
    MAX_COMPUTE_BYTES,
    MAX_FETCHES,
    MAX_PYTHON_UNITS,
    MAX_RANDOM_BYTES,
    MIB,
)
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.pace import Pace
from sandbox.egress.wire import MAX_REQUEST_JSON_BYTES, NO_MORE, NO_MORE_ANSWER, handle_of
from sandbox.port.interface import HostPort, LogLevel
from sandbox.python import values

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)

WASI: Final = "0.2.9"
"""Version of the WASI interfaces that componentize-py 0.25 imports."""

_LEVELS: Final = frozenset(get_args(LogLevel))
_MAX_OPERATION: Final = MAX_API_PATH_BYTES + 16
_MAX_NUMBER: Final = 10
_MAX_HANDLES: Final = MAX_FETCHES * (_MAX_NUMBER + 1)
_MAX_ARGUMENT: Final = {
    "api": MAX_API_ARGUMENT_BYTES,
    "compute": MAX_COMPUTE_BYTES,
    "log": 4 * MIB,  # a million characters, to which the guest cuts a line
}
"""Bytes that are copied of an argument, by what is called: the port refuses longer ones in its own words."""
_STOP: Final = b"stopped by the host port"

Imported = Callable[["Binding", Any, Any], None]
"""Answers one import: what it is bound to, its arguments, its results."""


class Binding:
    """The state behind the host functions of one instance; no port before it is bound to an execution.
    `handles`: operations started and not yet settled."""

    __slots__ = ("deadline", "fault", "handles", "number", "pace", "port", "unit")

    def __init__(self) -> None:
        self.number = next(_numbers)
        self.port: HostPort | None = None
        self.pace: Pace | None = None
        self.fault: Failure | None = None
        self.deadline = math.inf
        self.handles: set[int] = set()
        self.unit: Callable[[int], str] = lambda _: ""
        _bindings[self.number] = self

    def close(self) -> None:
        """Nothing more is accepted (threat-model K5)."""
        self.port = None
        _bindings.pop(self.number, None)

    def late(self) -> bool:
        """The deadline has passed."""
        return time.monotonic() >= self.deadline

    def stopped(self) -> bool:
        """The guest is to be stopped at once."""
        refused = self.fault is not None or (self.port is not None and self.port.fatal is not None)
        return refused or self.late()


_numbers = itertools.count(1)
_bindings: dict[int, Binding] = {}


def _call(binding: Binding, arguments: Any, results: Any) -> None:
    port = binding.port
    operation = values.get_string(arguments[0], _MAX_OPERATION)
    if port is None or len(operation) > _MAX_OPERATION:
        values.put_string(results[0], "")
        return
    kind, _, rest = operation.partition(".")
    argument = values.get_string(arguments[1], _MAX_ARGUMENT.get(kind, _MAX_NUMBER))
    if kind == "cancel":
        handle = _number(argument, 2**32 - 1)
        binding.handles.discard(handle)
        port.cancel(handle)
        values.put_string(results[0], "")
        return
    if operation == "unit":  # part of the program, so no call of the port
        values.put_string(results[0], binding.unit(_number(argument, MAX_PYTHON_UNITS)))
        return
    if operation == "no-more":  # nor is what a start was refused with
        values.put_string(results[0], NO_MORE_ANSWER)
        return
    values.put_string(results[0], _answer(port, kind, rest, argument))


def _answer(port: HostPort, kind: str, rest: str, argument: str) -> str:
    if kind == "api":
        return port.api_call(rest, argument)
    if kind == "compute":
        return port.compute(rest, argument)
    if kind == "log" and rest in _LEVELS:
        port.log(cast(LogLevel, rest), argument)
    elif kind == "random":
        return port.random(_number(argument, MAX_RANDOM_BYTES)).hex()
    return ""


def _number(text: str, highest: int) -> int:
    """A number from the guest, or 0: never more than ten digits are read."""
    digits = text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER
    return min(int(text), highest) if digits else 0


def _start(binding: Binding, arguments: Any, results: Any) -> None:
    port = binding.port
    operation = values.get_string(arguments[0], _MAX_OPERATION)
    handle = 0
    if port is not None and len(operation) <= _MAX_OPERATION:
        handle = port.start(operation, values.get_string(arguments[1], MAX_REQUEST_JSON_BYTES))
        if handle != NO_MORE:
            binding.handles.add(handle)
    values.put_u32(results[0], handle)


def _wait_any(binding: Binding, arguments: Any, results: Any) -> None:
    port = binding.port
    if port is None:
        values.put_string(results[0], "")
        return
    text = values.get_string(arguments[0], _MAX_HANDLES)[:_MAX_HANDLES]
    handles = [_number(part, 2**32 - 1) for part in text.split(",")] if text else []
    limit = arguments[1].of.s32
    cut_short = limit >= 0 and time.monotonic() + limit / 1000 > binding.deadline
    answer = port.wait_any(handles, None if limit < 0 else float(limit))
    if answer:
        binding.handles.discard(handle_of(answer))
    elif cut_short:  # the port's time ends a little before the guest's: what slept through it is not done
        binding.deadline = min(binding.deadline, time.monotonic())
    values.put_string(results[0], answer)


def _wall(binding: Binding, _arguments: Any, results: Any) -> None:
    seconds, milliseconds = divmod(binding.port.wall_ms() if binding.port else 0, 1000)
    values.put_datetime(results[0], seconds, milliseconds * 1_000_000)


def _wall_resolution(_binding: Binding, _arguments: Any, results: Any) -> None:
    values.put_datetime(results[0], 0, 1_000_000)


def _monotonic(binding: Binding, _arguments: Any, results: Any) -> None:
    values.put_u64(results[0], (binding.port.monotonic_ms() if binding.port else 0) * 1_000_000)


def _monotonic_resolution(_binding: Binding, _arguments: Any, results: Any) -> None:
    values.put_u64(results[0], 1_000_000)


def _random(binding: Binding, count: int) -> bytes:
    """Before an instance has a port nothing secret is drawn: the guest seeds again for each execution."""
    return binding.port.random(count) if binding.port else bytes(count)


def _random_bytes(binding: Binding, arguments: Any, results: Any) -> None:
    values.put_byte_list(results[0], _random(binding, min(arguments[0].of.u64, MAX_RANDOM_BYTES)))


def _random_u64(binding: Binding, _arguments: Any, results: Any) -> None:
    values.put_u64(results[0], int.from_bytes(_random(binding, 8), "little"))


def _empty(_binding: Binding, _arguments: Any, results: Any) -> None:
    values.put_empty_list(results[0])


IMPORTS: Final[dict[str, dict[str, Imported]]] = {
    "actionbox:python/host": {"call": _call, "start": _start, "wait-any": _wait_any},
    f"wasi:clocks/wall-clock@{WASI}": {"now": _wall, "resolution": _wall_resolution},
    f"wasi:clocks/monotonic-clock@{WASI}": {"now": _monotonic, "resolution": _monotonic_resolution},
    f"wasi:random/random@{WASI}": {"get-random-bytes": _random_bytes, "get-random-u64": _random_u64},
    f"wasi:cli/environment@{WASI}": {"get-environment": _empty, "get-arguments": _empty},
    f"wasi:filesystem/preopens@{WASI}": {"get-directories": _empty},
}
"""Everything that a guest can reach. Every other import of the component traps (threat-model E5)."""

_NO_FINALIZER: Final = ctypes.cast(0, ctypes.CFUNCTYPE(None, ctypes.c_void_p))


def define_imports(linker: Linker, component: Component) -> list[Any]:
    """Define `IMPORTS`, and traps for the rest of what `component` imports.

    Returns:
        the C callbacks; they must live as long as the linker.
    """
    linker.allow_shadowing = True
    linker.define_unknown_imports_as_traps(component)
    kept: list[Any] = []
    with linker.root() as root:
        for interface, functions in IMPORTS.items():
            with _instance(root, interface) as instance:
                kept.extend(_define(instance, name, answer) for name, answer in functions.items())
    return kept


@contextmanager
def _instance(root: LinkerInstance, name: str) -> Iterator[LinkerInstance]:
    with root.add_instance(name) as instance:
        yield instance


def _define(instance: LinkerInstance, name: str, answer: Imported) -> Any:
    callback = _callback(name, answer)
    encoded = name.encode()
    error = c.wasmtime_component_linker_instance_add_func(
        instance.ptr(), ctypes.create_string_buffer(encoded), len(encoded), callback, None, _NO_FINALIZER
    )
    if error:
        raise WasmtimeError._from_ptr(error)
    return callback


def _callback(name: str, answer: Imported) -> Any:
    """The C callback of one import. It must not raise: wasmtime-py would hand the error to anyone."""

    def run(_env: Any, context: Any, _ty: Any, arguments: Any, _n: int, results: Any, _m: int) -> int:
        binding = _bindings.get(ctypes.cast(c.wasmtime_context_get_data(context), ctypes.c_void_p).value or 0)
        if binding is None:
            return _trap()
        try:
            pace = binding.pace
            if pace is not None and pace.gated:
                pace.step()
            answer(binding, arguments, results)
        except BaseException:  # noqa: BLE001 - nothing may pass into wasm
            _fault(binding, name)
        return _trap() if binding.stopped() else 0

    return c.wasmtime_component_func_callback_t(run)


def _fault(binding: Binding, name: str) -> None:
    reference = uuid.uuid4().hex[:12]
    _log.exception("host function %s failed (%s)", name, reference)
    binding.fault = Failure(
        FailureCode.INTERNAL, "The sandbox could not answer a call of the Action.", detail={"id": reference}
    )


def _trap() -> int:
    """An error that ends the guest's run."""
    return int(ctypes.cast(c.wasmtime_error_new(_STOP), ctypes.c_void_p).value or 0)


def imported_names(component: Component, engine: Any) -> Iterable[str]:
    """Names of the interfaces that a component imports."""
    return tuple(component.type.imports(engine))
