"""Makes the objects of the snapshot immortal (PEP 683), so that using one does not write to its page.

Every instance maps the snapshot copy-on-write. CPython counts references in the objects themselves, so an
execution would copy each page that it merely reads. The guest lists the addresses of its
objects behind a mark; here their counts are set to CPython's own value for "never freed".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sandbox.python.binary import HEADER_BYTES, LayoutError, sections, signed, unsigned

MARK: Final = b"actionbox: addresses of objects:"
"""What stands before the list, in `guest/actionbox/snapshot.py` too; then a count, then addresses."""

IMMORTAL: Final = 5 << 28
"""`_Py_IMMORTAL_INITIAL_REFCNT` of CPython 3.14 on 32 bits."""
_LOWEST_ADDRESS: Final = 1 << 16
"""No object lies lower. An object that was freed after it was listed has an address, or zero, in the place
of its count (the next free block), so a count below this belongs to a living object."""

_FEWEST: Final = 10_000
"""Objects in any snapshot of CPython with a library."""

_CORE_MODULE: Final = 1
_DATA: Final = 11


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of initial memory: where it lies in memory, and where in the component's bytes."""

    address: int
    start: int
    size: int


def make_immortal(component: bytes) -> bytes:
    """`component` with the reference counts of its listed objects set to immortal.

    Raises:
        LayoutError: there is no list, or it is not one of objects.
    """
    content = bytearray(component)
    segments = list(_segments(component))
    patched = 0
    for address in _addresses(component, segments):
        at = _find(segments, address)
        if at is None:
            continue
        (count,) = struct.unpack_from("<I", content, at)
        if 0 < count < _LOWEST_ADDRESS:
            struct.pack_into("<I", content, at, IMMORTAL)
            patched += 1
    if not patched:
        raise LayoutError("no object of the Python image could be made immortal")
    return bytes(content)


def _addresses(component: bytes, segments: list[Segment]) -> list[int]:
    """The list behind the mark. Remains of its making stand in free memory as well; those are no lists."""
    found = [listed for at in _marks(component) if (listed := _list_at(component, segments, at))]
    if not found or any(listed != found[0] for listed in found):
        raise LayoutError("the Python image does not list its objects")
    return found[0]


def _marks(component: bytes) -> Iterator[int]:
    at = component.find(MARK)
    while at >= 0:
        yield at + len(MARK)
        at = component.find(MARK, at + 1)


def _list_at(component: bytes, segments: list[Segment], at: int) -> list[int] | None:
    """The rising addresses at a position of the component, if that is what stands there."""
    inside = next((s for s in segments if s.start <= at and at + 4 <= s.start + s.size), None)
    if inside is None:
        return None
    (count,) = struct.unpack_from("<I", component, at)
    if count < _FEWEST or at + 4 + 4 * count > inside.start + inside.size:
        return None
    listed = list(struct.unpack_from(f"<{count}I", component, at + 4))
    return listed if all(one < other for one, other in pairwise(listed)) else None


def _find(segments: list[Segment], address: int) -> int | None:
    """Where in the component the four bytes at `address` stand, if one segment holds them."""
    low, high = 0, len(segments)
    while low < high:
        middle = (low + high) // 2
        if segments[middle].address <= address:
            low = middle + 1
        else:
            high = middle
    segment = segments[low - 1] if low else None
    if segment is None or address + 4 > segment.address + segment.size:
        return None
    return segment.start + address - segment.address


def _segments(component: bytes) -> Iterator[Segment]:
    """Data segments of the first core module that has any, by rising address."""
    for number, start, end in sections(component, HEADER_BYTES, len(component)):
        if number != _CORE_MODULE:
            continue
        for inner, first, _last in sections(component, start + HEADER_BYTES, end):
            if inner == _DATA:
                yield from sorted(_data(component, first), key=lambda segment: segment.address)
                return
    raise LayoutError("the Python image has no data")


def _data(content: bytes, at: int) -> Iterator[Segment]:
    count, at = unsigned(content, at)
    for _ in range(count):
        kind, at = unsigned(content, at)
        if kind != 0 or content[at] != 0x41:  # active, in memory 0, at an i32.const
            raise LayoutError("the Python image has data of an unknown kind")
        address, at = signed(content, at + 1)
        if content[at] != 0x0B:
            raise LayoutError("the Python image has data at an unknown place")
        size, at = unsigned(content, at + 1)
        yield Segment(address & 0xFFFF_FFFF, at, size)
        at += size
