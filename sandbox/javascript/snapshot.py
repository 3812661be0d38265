"""Turns a booted instance into a module: its memory becomes the data section (design 5).

wasmtime maps such a data section copy-on-write, so an instance starts with everything evaluated.
Only what the snapshot changes is rewritten (memory, exports, global, data); the code stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_HEADER: Final = b"\0asm\x01\0\0\0"
_CUSTOM, _MEMORY, _GLOBAL, _EXPORT, _CODE, _DATA, _DATA_COUNT = 0, 5, 6, 7, 10, 11, 12
_ONE_I32_GLOBAL: Final = b"\x01\x7f\x01\x41"
PAGE: Final = 65_536
_GAP: Final = 4_096
"""A run of zero bytes at least this long is left out of the data section."""


class ModuleFormatError(Exception):
    """The binary is not of the shape that this rewriting knows."""


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
    if len(memory) % PAGE:
        raise ModuleFormatError("memory is not a whole number of pages")
    segments = list(_segments(memory))
    replaced: Mapping[int, bytes] = {
        _MEMORY: b"\x01\x00" + _unsigned(len(memory) // PAGE),
        _DATA_COUNT: _unsigned(len(segments)),
        _DATA: _unsigned(len(segments)) + b"".join(_segment(at, data) for at, data in segments),
    }
    out = bytearray(_HEADER)
    for kind, body in sections(module):
        if kind == _CUSTOM:
            continue
        if kind == _EXPORT:
            body = _keep_exports(body, exports)
        new = replaced.get(kind, body)
        out += bytes([kind]) + _unsigned(len(new)) + new
    return bytes(out)


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, body) of each section. Raises `ModuleFormatError`."""
    if module[:8] != _HEADER:
        raise ModuleFormatError("not a WebAssembly module")
    at = 8
    while at < len(module):
        kind = module[at]
        size, at = _read_unsigned(module, at + 1)
        yield kind, module[at : at + size]
        at += size


def stack_pointer(module: bytes) -> int:
    """Initial value of the one global. Raises `ModuleFormatError` when there are others."""
    for kind, body in sections(module):
        if kind == _GLOBAL and body[:4] == _ONE_I32_GLOBAL:
            value, end = _read_unsigned(body, 4)
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
    count, at = _read_unsigned(body, 0)
    for _ in range(count):
        start = at
        length, at = _read_unsigned(body, at)
        name = body[at : at + length].decode()
        _, at = _read_unsigned(body, at + length + 1)
        yield name, body[start:at]


def _keep_exports(body: bytes, names: frozenset[str]) -> bytes:
    kept = [(name, raw) for name, raw in _exports(body) if name in names]
    if missing := names - {name for name, _ in kept}:
        raise ModuleFormatError(f"exports are missing: {', '.join(sorted(missing))}")
    return _unsigned(len(kept)) + b"".join(raw for _, raw in kept)


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
    return b"\x00\x41" + _signed(at) + b"\x0b" + _unsigned(len(data)) + data


def _unsigned(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _signed(value: int) -> bytes:
    """Signed LEB128 of an i32 given as an unsigned or signed number."""
    value = (value & 0xFFFF_FFFF) - ((value & 0x8000_0000) << 1)
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def _read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
