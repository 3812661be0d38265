"""Makes the objects of the image immortal (PEP 683), so that using one does not write to its page.

Every instance maps the image copy-on-write. CPython counts references in the objects themselves, so an
execution would copy each page that it merely reads. The guest lists the addresses of its
objects behind a mark; here their counts are set to CPython's own value for "never freed".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sandbox.python.data import LayoutError, Segment, segments

MARK: Final = b"actionbox: addresses of objects:"
"""What stands before the list, in `guest/actionbox/freeze.py` too; then a count, then addresses."""

IMMORTAL: Final = 5 << 28
"""`_Py_IMMORTAL_INITIAL_REFCNT` of CPython 3.14 on 32 bits."""
_LOWEST_ADDRESS: Final = 1 << 16
"""No object lies lower. An object that was freed after it was listed has an address, or zero, in the place
of its count (the next free block), so a count below this belongs to a living object."""

_FEWEST: Final = 10_000
"""Objects in any image of CPython with a library."""


def make_immortal(component: bytes) -> bytes:
    """`component` with the reference counts of its listed objects set to immortal.

    Raises:
        LayoutError: there is no list, or it is not one of objects.
    """
    content = bytearray(component)
    every = segments(component)
    patched = 0
    for address in _addresses(component, every):
        at = _find(every, address)
        if at is None:
            continue
        (count,) = struct.unpack_from("<I", content, at)
        if 0 < count < _LOWEST_ADDRESS:
            struct.pack_into("<I", content, at, IMMORTAL)
            patched += 1
    if not patched:
        raise LayoutError("no object of the Python image could be made immortal")
    return bytes(content)


def _addresses(component: bytes, every: list[Segment]) -> list[int]:
    """The list behind the mark. Remains of its making stand in free memory as well; those are no lists."""
    found = [listed for at in _marks(component) if (listed := _list_at(component, every, at))]
    if not found or any(listed != found[0] for listed in found):
        raise LayoutError("the Python image does not list its objects")
    return found[0]


def _marks(component: bytes) -> Iterator[int]:
    at = component.find(MARK)
    while at >= 0:
        yield at + len(MARK)
        at = component.find(MARK, at + 1)


def _list_at(component: bytes, every: list[Segment], at: int) -> list[int] | None:
    """The rising addresses at a position of the component, if that is what stands there."""
    inside = next((s for s in every if s.start <= at and at + 4 <= s.start + s.size), None)
    if inside is None:
        return None
    (count,) = struct.unpack_from("<I", component, at)
    if count < _FEWEST or at + 4 + 4 * count > inside.start + inside.size:
        return None
    listed = list(struct.unpack_from(f"<{count}I", component, at + 4))
    return listed if all(one < other for one, other in pairwise(listed)) else None


def _find(every: list[Segment], address: int) -> int | None:
    """The offset in the component of the four bytes at `address`, if one segment holds them."""
    low, high = 0, len(every)
    while low < high:
        middle = (low + high) // 2
        if every[middle].address <= address:
            low = middle + 1
        else:
            high = middle
    segment = every[low - 1] if low else None
    if segment is None or address + 4 > segment.address + segment.size:
        return None
    return segment.start + address - segment.address
