"""Reading the binary format of WebAssembly modules and components, as far as the Python image needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

HEADER_BYTES: Final = 8
"""Magic number and version before the first section, in modules and components alike."""


class LayoutError(ValueError):
    """The image is not laid out as componentize-py 0.25 does it."""


def sections(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(kind, start, end) of each section's content between two positions."""
    at = start
    while at < end:
        kind = content[at]
        size, first = unsigned(content, at + 1)
        yield kind, first, first + size
        at = first + size


def unsigned(content: bytes, at: int) -> tuple[int, int]:
    """A LEB128 number and the position after it."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def signed(content: bytes, at: int) -> tuple[int, int]:
    """A signed LEB128 number and the position after it."""
    before = at
    value, at = unsigned(content, at)
    bits = 7 * (at - before)
    return (value - (1 << bits) if value >> (bits - 1) & 1 else value), at


def encoded(value: int) -> bytes:
    """A number as unsigned LEB128."""
    content = bytearray()
    while True:
        content.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(content)


def section(kind: int, content: bytes) -> bytes:
    """A section with its kind and size."""
    return bytes([kind]) + encoded(len(content)) + content


def name(text: str) -> bytes:
    """A name with its length."""
    return encoded(len(text)) + text.encode()
