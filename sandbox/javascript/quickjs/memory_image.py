"""Turns a booted instance into a module: its memory becomes the data section (design 5).

wasmtime maps such a data section copy-on-write, so an instance starts with everything evaluated.
Only what the image changes is rewritten (memory, exports, global, data); the code stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sandbox.wasm.binary import PAGE_BYTES, read_unsigned, signed, unsigned
from sandbox.wasm.rewriting import ModuleFormatError, assemble, sections

_CUSTOM, _MEMORY, _GLOBAL, _EXPORT, _CODE, _DATA, _DATA_COUNT = 0, 5, 6, 7, 10, 11, 12
_ONE_I32_GLOBAL: Final = b"\x01\x7f\x01\x41"
_GAP: Final = 4_096
"""A run of zero bytes at least this long is left out of the data section."""


def freeze(module: bytes, memory: bytes, exports: frozenset[str]) -> bytes:
    """`module` with `memory` as its initial state and only `exports` exported.

    Args:
        module: the binary that was booted; one memory, one global (the stack pointer, which is back
            at its initial value whenever nothing runs).
        memory: all of linear memory, whole pages.
        exports: names to keep.

    Raises:
        ModuleFormatError: unexpected sections.
    """
    if len(memory) % PAGE_BYTES:
        raise ModuleFormatError("memory is not a whole number of pages")
    segments = list(_segments(memory))
    replaced: Mapping[int, bytes] = {
        _MEMORY: b"\x01\x00" + unsigned(len(memory) // PAGE_BYTES),
        _DATA_COUNT: unsigned(len(segments)),
        _DATA: unsigned(len(segments)) + b"".join(_segment(at, data) for at, data in segments),
    }
    kept = [(kind, body) for kind, body in sections(module) if kind != _CUSTOM]
    return assemble(
        (kind, _keep_exports(body, exports) if kind == _EXPORT else replaced.get(kind, body))
        for kind, body in kept
    )


def stack_pointer(module: bytes) -> int:
    """Initial value of the one global. Raises `ModuleFormatError` when there are others."""
    for kind, body in sections(module):
        if kind == _GLOBAL and body[:4] == _ONE_I32_GLOBAL:
            value, end = read_unsigned(body, 4)
            if body[end:] == b"\x0b":
                return value
    raise ModuleFormatError("expected one mutable i32 global")


def export_positions(module: bytes) -> dict[str, int]:
    """Name to position of every export, in the order of the export section."""
    for kind, body in sections(module):
        if kind == _EXPORT:
            return {name: place for place, (name, _) in enumerate(_exports(body))}
    return {}


def _exports(body: bytes) -> Iterator[tuple[str, bytes]]:
    count, at = read_unsigned(body, 0)
    for _ in range(count):
        start = at
        length, at = read_unsigned(body, at)
        name = body[at : at + length].decode()
        _, at = read_unsigned(body, at + length + 1)
        yield name, body[start:at]


def _keep_exports(body: bytes, names: frozenset[str]) -> bytes:
    kept = [(name, raw) for name, raw in _exports(body) if name in names]
    if missing := names - {name for name, _ in kept}:
        raise ModuleFormatError(f"exports are missing: {', '.join(sorted(missing))}")
    return unsigned(len(kept)) + b"".join(raw for _, raw in kept)


def _segments(memory: bytes) -> Iterator[tuple[int, bytes]]:
    """Runs of pages-of-`_GAP` that hold anything."""
    zero = bytes(_GAP)
    start: int | None = None
    for at in range(0, len(memory), _GAP):
        empty = memory[at : at + _GAP] == zero
        if empty and start is not None:
            yield start, memory[start:at]
            start = None
        elif not empty and start is None:
            start = at
    if start is not None:
        yield start, memory[start:]


def _segment(at: int, data: bytes) -> bytes:
    return b"\x00\x41" + signed(at) + b"\x0b" + unsigned(len(data)) + data
