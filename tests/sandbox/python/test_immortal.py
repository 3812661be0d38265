"""Rewriting reference counts in a component's initial memory."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.python import immortal
from sandbox.python.data import LayoutError, segments
from sandbox.wasm.binary import MODULE, section, signed, unsigned

HEADER = b"\0asm\x0d\0\x01\0"


def component(*data: tuple[int, bytes], before: bytes = b"") -> bytes:
    """A component whose second core module has `data` as (address, bytes)."""
    segments = b"".join(b"\0\x41" + signed(at) + b"\x0b" + unsigned(len(held)) + held for at, held in data)
    module = MODULE + section(5, b"\x01\0\x01") + section(11, unsigned(len(data)) + segments)
    return HEADER + section(7, b"\0") + section(1, MODULE + before) + section(1, module)


def listed(*addresses: int) -> bytes:
    """The guest's list, long enough to be one."""
    rest = range(3_000_000, 3_000_000 + immortal._FEWEST)
    every = [*addresses, *rest]
    return immortal.MARK + struct.pack(f"<{len(every) + 1}I", len(every), *every)


def counts(content: bytes, *addresses: int) -> list[int]:
    every = segments(content)
    places = [immortal._find(every, address) for address in addresses]
    return [struct.unpack_from("<I", content, place)[0] for place in places if place is not None]


def test_counts_of_living_objects_become_immortal() -> None:
    memory = struct.pack("<6I", 1, 7, 2, 7, 65_535, 7)
    before = component((70_000, memory), (200_000, listed(70_000, 70_008, 70_016)))
    after = immortal.make_immortal(before)
    assert counts(after, 70_000, 70_008, 70_016) == [immortal.IMMORTAL] * 3
    assert counts(after, 70_004, 70_012, 70_020) == [7, 7, 7]
    assert len(after) == len(before)


def test_freed_and_foreign_addresses_are_left_alone() -> None:
    memory = struct.pack("<4I", 0, 70_100, immortal.IMMORTAL, 3)
    before = component((70_000, memory), (200_000, listed(1_000, 70_000, 70_004, 70_008, 70_012, 70_014)))
    after = immortal.make_immortal(before)
    assert counts(after, 70_000, 70_004, 70_008, 70_012) == [0, 70_100, immortal.IMMORTAL, immortal.IMMORTAL]


def test_remains_of_the_mark_are_no_list() -> None:
    junk = immortal.MARK + struct.pack("<I", 12) + immortal.MARK
    memory = struct.pack("<I", 5)
    after = immortal.make_immortal(component((100, junk), (70_000, memory), (200_000, listed(70_000))))
    assert counts(after, 70_000) == [immortal.IMMORTAL]


@pytest.mark.parametrize(
    "content",
    [
        component((100, b"nothing")),
        component((100, immortal.MARK)),
        component((100, listed()[:-4])),
        component((100, listed(9, 8))),
        component((100, listed(1)), (300_000, listed(2))),
        component((100, listed(70_000))),
        HEADER,
        HEADER + section(1, MODULE),
        HEADER + section(1, MODULE + section(11, b"\x01\x01\x02ab")),
    ],
)
def test_what_is_no_image_is_refused(content: bytes) -> None:
    with pytest.raises(LayoutError):
        immortal.make_immortal(content)


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.binary(max_size=9)), max_size=6))
def test_segments_are_found_wherever_they_are(data: list[tuple[int, bytes]]) -> None:
    content = component(*data)
    found = [(s.address, content[s.start : s.start + s.size]) for s in segments(content)]
    assert sorted(found) == sorted(data)
