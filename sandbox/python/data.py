"""The initial memory of the Python image: where it stands in the component, and how to take it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.wasm.binary import HEADER_BYTES, PAGE_BYTES, read_signed, read_unsigned, section, sections

_CORE_MODULE: Final = 1
_MEMORY: Final = 5
_DATA: Final = 11


class LayoutError(ValueError):
    """The image is not laid out as componentize-py 0.25 does it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of initial memory: where it lies in memory, and where in the component's bytes."""

    address: int
    start: int
    size: int


def segments(component: bytes) -> list[Segment]:
    """Data segments of the first core module that has any, by rising address.

    Raises:
        LayoutError: no module has data, or it is of an unknown kind.
    """
    for number, start, end in sections(component, HEADER_BYTES, len(component)):
        if number != _CORE_MODULE:
            continue
        for inner, first, _last in sections(component, start + HEADER_BYTES, end):
            if inner == _DATA:
                return sorted(_data(component, first), key=lambda segment: segment.address)
    raise LayoutError("the Python image has no data")


def take_out(component: bytes) -> tuple[bytes, bytes]:
    """`component` without initial memory, and that memory: whole pages of WebAssembly.

    Raises:
        LayoutError: not exactly one core module has a memory and data.
    """
    found = segments(component)
    memory = bytearray(_initial_size(component))
    if any(one.address + one.size > len(memory) for one in found):
        raise LayoutError("the data of the Python image leaves its memory")
    for one in sorted(found, key=lambda one: one.start):  # a later segment lies over an earlier one
        memory[one.address : one.address + one.size] = component[one.start : one.start + one.size]
    rest = bytearray(component[:HEADER_BYTES])
    emptied = 0
    for number, start, end in sections(component, HEADER_BYTES, len(component)):
        content = component[start:end]
        if number == _CORE_MODULE:
            content, had_data = _without_data(content)
            emptied += had_data
        rest += section(number, content)
    if emptied != 1:
        raise LayoutError("the data of the Python image is in several modules")
    return bytes(rest), bytes(memory)


def _initial_size(component: bytes) -> int:
    """Bytes of the one memory that the core modules define."""
    found = []
    for number, start, end in sections(component, HEADER_BYTES, len(component)):
        if number != _CORE_MODULE:
            continue
        for inner, first, _last in sections(component, start + HEADER_BYTES, end):
            if inner == _MEMORY:
                count, at = read_unsigned(component, first)
                found += [read_unsigned(component, at + 1)[0]] * count  # behind the flags of the first one
    if len(found) != 1:
        raise LayoutError("the Python image has not one memory")
    return found[0] * PAGE_BYTES


def _without_data(module: bytes) -> tuple[bytes, bool]:
    """A core module with no data segments, and whether it had any."""
    rest = bytearray(module[:HEADER_BYTES])
    had_data = False
    for number, start, end in sections(module, HEADER_BYTES, len(module)):
        if number == _DATA:
            had_data = True
            rest += section(_DATA, b"\0")
        else:
            rest += section(number, module[start:end])
    return bytes(rest), had_data


def _data(content: bytes, at: int) -> Iterator[Segment]:
    count, at = read_unsigned(content, at)
    for _ in range(count):
        kind, at = read_unsigned(content, at)
        if kind != 0 or content[at] != 0x41:  # active, in memory 0, at an i32.const
            raise LayoutError("the Python image has data of an unknown kind")
        address, at = read_signed(content, at + 1)
        if content[at] != 0x0B:
            raise LayoutError("the Python image has data at an unknown place")
        size, at = read_unsigned(content, at + 1)
        yield Segment(address & 0xFFFF_FFFF, at, size)
        at += size
