"""Taking the initial memory out of a component."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.python.data import LayoutError, segments, take_out
from sandbox.wasm.binary import MODULE, PAGE_BYTES, section
from tests.sandbox.python.test_immortal import HEADER, component

MEMORY = MODULE + section(5, b"\x01\0\x01")
DATA = section(11, b"\x01\0\x41\x05\x0b\x02ab")


@given(st.lists(st.tuples(st.integers(0, PAGE_BYTES - 9), st.binary(max_size=9)), max_size=6))
def test_memory_is_what_the_segments_say(data: list[tuple[int, bytes]]) -> None:
    rest, memory = take_out(component(*data))
    wanted = bytearray(PAGE_BYTES)
    for at, held in data:
        wanted[at : at + len(held)] = held
    assert memory == wanted
    assert segments(rest) == []
    assert take_out(rest) == (rest, bytes(PAGE_BYTES))


def test_all_else_stays() -> None:
    content = component((5, b"ab"), before=section(0, b"\x01x") + section(1, b"\0"))
    rest, _ = take_out(content)
    assert rest == component(before=section(0, b"\x01x") + section(1, b"\0"))


@pytest.mark.parametrize(
    "content",
    [
        component((PAGE_BYTES - 1, b"ab")),
        HEADER + section(1, MEMORY + DATA) + section(1, MODULE + DATA),
        HEADER + section(1, MEMORY) + section(1, MEMORY + DATA),
        HEADER + section(1, MODULE + DATA),
        HEADER + section(1, MODULE + section(5, b"\x02\0\x01\0\x01") + DATA),
        HEADER + section(1, MEMORY),
    ],
)
def test_other_layouts_are_refused(content: bytes) -> None:
    with pytest.raises(LayoutError):
        take_out(content)
