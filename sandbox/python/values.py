"""Strings and numbers across wasmtime's component C API, without wasmtime-py's conversion layer.

That layer asks for the function's type on every call, converts `list<u8>` element by element, and parks
exceptions of host functions in a process global where another execution may pick them up. Here every
function has a fixed shape, so a call costs one C call.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from wasmtime import WasmtimeError
from wasmtime import _bindings as c

STRING: Final = 12
"""`WASMTIME_COMPONENT_STRING`; the other kinds likewise."""
U8: Final = 2
U32: Final = 6
U64: Final = 8
LIST: Final = 13
RECORD: Final = 14

_CHARACTER: Final = 4
"""Most bytes of one character, which a cut may leave out."""

Value: Final = c.wasmtime_component_val_t
"""One component value: `kind` and the union `of`."""


def put_bytes(vector: Any, data: bytes) -> None:
    """Fill a `wasm_byte_vec_t` with a copy of `data` that wasmtime owns."""
    c.wasm_byte_vec_new_uninitialized(ctypes.byref(vector), len(data))
    if data:
        ctypes.memmove(vector.data, data, len(data))


def put_string(value: Any, text: str) -> None:
    """Make `value` a string. Lone surrogates, which UTF-8 cannot carry, become `?`."""
    value.kind = STRING
    put_bytes(value.of.string, text.encode("utf-8", "replace"))


def put_u32(value: Any, number: int) -> None:
    value.kind = U32
    value.of.u32 = number


def put_u64(value: Any, number: int) -> None:
    value.kind = U64
    value.of.u64 = number


def put_empty_list(value: Any) -> None:
    value.kind = LIST
    c.wasmtime_component_vallist_new_empty(ctypes.byref(value.of.list))


_VALUE_BYTES: Final = ctypes.sizeof(c.wasmtime_component_val_t)
_U8_BYTES: Final = [bytes(Value(kind=U8, of=c.wasmtime_component_valunion_t(u8=byte))) for byte in range(256)]
"""Each `u8` as the value that it is in a list."""


def put_byte_list(value: Any, data: bytes) -> None:
    """Make `value` a `list<u8>`, whose items are whole values in the C API."""
    value.kind = LIST
    vector = value.of.list
    c.wasmtime_component_vallist_new_uninit(ctypes.byref(vector), len(data))
    if data:
        ctypes.memmove(vector.data, b"".join(map(_U8_BYTES.__getitem__, data)), len(data) * _VALUE_BYTES)


def put_datetime(value: Any, seconds: int, nanoseconds: int) -> None:
    """Make `value` WASI's `datetime` record."""
    value.kind = RECORD
    record = value.of.record
    c.wasmtime_component_valrecord_new_uninit(ctypes.byref(record), 2)
    for index, (name, put, number) in enumerate(
        (("seconds", put_u64, seconds), ("nanoseconds", put_u32, nanoseconds))
    ):
        field = record.data[index]
        put_bytes(field.name, name.encode())
        put(field.val, number)


def get_string(value: Any, most: int) -> str:
    """The text of a string value. wasmtime has checked that it is UTF-8.

    Of a text of more than `most` bytes only so much is copied that it is still too long for whoever takes
    at most `most`: a guest's texts may be as large as its memory (threat-model M2).
    """
    vector = value.of.string
    size = vector.size
    if size > most:
        return ctypes.string_at(vector.data, min(size, most + _CHARACTER)).decode("utf-8", "ignore")
    return ctypes.string_at(vector.data, size).decode("utf-8") if size else ""


def call_number(function: Any, context: Any) -> int:
    """Call a component function without arguments that returns a `u32`.

    Raises:
        WasmtimeError: it trapped, or the instance did before.
    """
    result = Value()
    error = c.wasmtime_component_func_call(ctypes.byref(function), context, None, 0, ctypes.byref(result), 1)
    if error:
        raise WasmtimeError._from_ptr(error)
    return int(result.of.u32)


def call_strings(function: Any, context: Any, arguments: tuple[str, ...], most: int) -> str:
    """Call a component function of strings that returns a string, read as `get_string` does.

    Raises:
        WasmtimeError: it trapped.
    """
    values = (Value * len(arguments))()
    result = Value()
    filled = 0
    try:
        for value, text in zip(values, arguments, strict=True):
            put_string(value, text)
            filled += 1
        error = c.wasmtime_component_func_call(
            ctypes.byref(function), context, values, filled, ctypes.byref(result), 1
        )
    finally:
        for index in range(filled):
            c.wasmtime_component_val_delete(ctypes.byref(values[index]))
    if error:
        raise WasmtimeError._from_ptr(error)
    try:
        return get_string(result, most)
    finally:
        c.wasmtime_component_val_delete(ctypes.byref(result))
