"""Compiled code handed to wasmtime from the middle of a file's bytes.

wasmtime's own `deserialize` wants bytes of their own, and copies them once more: 60 MB twice at the start of
each worker.
"""

from __future__ import annotations

import ctypes

import wasmtime
from wasmtime import _bindings as c
from wasmtime.component import Component


def load_module(engine: wasmtime.Engine, blob: bytes, start: int = 0) -> wasmtime.Module:
    """The module that `blob` holds from `start` to its end.

    Raises:
        wasmtime.WasmtimeError: it is not one, or was made by another version or configuration.
    """
    made = ctypes.POINTER(c.wasmtime_module_t)()
    error = c.wasmtime_module_deserialize(engine.ptr(), *_rest(blob, start), ctypes.byref(made))
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
    return wasmtime.Module._from_ptr(made)


def load_component(engine: wasmtime.Engine, blob: bytes, start: int = 0) -> Component:
    """The same of a component."""
    made = ctypes.POINTER(c.wasmtime_component_t)()
    error = c.wasmtime_component_deserialize(engine.ptr(), *_rest(blob, start), ctypes.byref(made))
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
    return Component._from_ptr(made)


def _rest(blob: bytes, start: int) -> tuple[ctypes.Array[ctypes.c_uint8], int]:
    """The bytes from `start` on, where they are, and how many. Valid while `blob` is referred to."""
    if not 0 <= start <= len(blob):
        raise ValueError(f"{start} is not within {len(blob)} bytes")
    address = ctypes.cast(ctypes.c_char_p(blob), ctypes.c_void_p).value
    assert address is not None
    size = len(blob) - start
    return (ctypes.c_uint8 * size).from_address(address + start), size
