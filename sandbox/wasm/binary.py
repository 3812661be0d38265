"""The binary format of WebAssembly modules and components: sections and numbers, read and written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MODULE: Final = b"\0asm\x01\0\0\0"
"""What a core module begins with."""
HEADER_BYTES: Final = len(MODULE)
"""Magic number and version before the first section, in modules and components alike."""
PAGE_BYTES: Final = 65_536


def sections(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of each section's content between two positions."""
    at = start
    while at < end:
        kind = content[at]
        size, first = read_unsigned(content, at + 1)
        yield kind, first, first + size
        at = first + size


def section(kind: int, content: bytes) -> bytes:
    """A section with its kind and size."""
    return bytes([kind]) + unsigned(len(content)) + content


def name(text: str) -> bytes:
    """A name with its length."""
    return unsigned(len(text)) + text.encode()


def read_unsigned(content: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number and the position after it."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def read_signed(content: bytes, at: int) -> tuple[int, int]:
    """A signed LEB128 number and the position after it."""
    before = at
    value, at = read_unsigned(content, at)
    bits = 7 * (at - before)
    return (value - (1 << bits) if value >> (bits - 1) & 1 else value), at


def unsigned(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)
