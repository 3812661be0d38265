"""The module that images run in: the engine without initial memory, which instances get from their image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.wasm.binary import read_unsigned, unsigned
from sandbox.wasm.rewriting import ModuleFormatError, assemble, sections

_CUSTOM, _GLOBAL, _EXPORT, _DATA, _DATA_COUNT = 0, 6, 7, 11, 12
_ONE_I32_GLOBAL: Final = b"\x01\x7f\x01\x41"


def without_memory(module: bytes, exports: frozenset[str]) -> bytes:
    """`module` without initial memory, and with only `exports` exported. Its code stays as it is, and so does
    its one global, the stack pointer, which is at its initial value whenever nothing runs.

    Raises:
        ModuleFormatError: an export is missing.
    """
    kept = [(kind, body) for kind, body in sections(module) if kind != _CUSTOM]
    emptied = {_DATA: unsigned(0), _DATA_COUNT: unsigned(0)}
    return assemble(
        (kind, _keep_exports(body, exports) if kind == _EXPORT else emptied.get(kind, body))
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
