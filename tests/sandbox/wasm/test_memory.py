"""The bounds check that every guest pointer passes."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.wasm.memory import GuestMemory, GuestMemoryError, checked_range

EDGES = [0, 1, 4, 63, 64, 65, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -1, -16, -(2**31)]
anything = st.integers(-(2**31), 2**32) | st.sampled_from(EDGES)
sizes = st.integers(0, 2**32) | st.sampled_from([0, 64, 65536, 2**32])


@given(anything, anything, sizes, st.integers(0, 2**32))
def test_a_range_that_passes_lies_within_memory_and_cap(
    pointer: int, length: int, size: int, cap: int
) -> None:
    try:
        start, count = checked_range(pointer, length, size, cap)
    except GuestMemoryError:
        assert (pointer % 2**32) + (length % 2**32) > size or (length % 2**32) > cap
    else:
        assert start == pointer % 2**32
        assert count == length % 2**32
        assert 0 <= start <= start + count <= size
        assert count <= cap


@pytest.fixture(name="memory")
def _memory() -> tuple[GuestMemory, ctypes.Array[ctypes.c_char]]:
    buffer = ctypes.create_string_buffer(bytes(range(64)), 64)
    return GuestMemory(ctypes.addressof(buffer), lambda: 64), buffer


def test_reads_up_to_the_last_byte_and_not_beyond(memory: tuple[GuestMemory, object]) -> None:
    guest, _ = memory
    assert guest.read(60, 4, 4) == bytes([60, 61, 62, 63])
    assert guest.read(64, 0, 0) == b""
    with pytest.raises(GuestMemoryError):
        guest.read(61, 4, 4)
    with pytest.raises(GuestMemoryError):
        guest.read(-4, 4, 4)
    with pytest.raises(GuestMemoryError):
        guest.read(0, 5, 4)


def test_writes_up_to_the_last_byte_and_not_beyond(
    memory: tuple[GuestMemory, ctypes.Array[ctypes.c_char]],
) -> None:
    guest, buffer = memory
    guest.write(62, b"\xff\xfe")
    assert buffer.raw[62:] == b"\xff\xfe"
    with pytest.raises(GuestMemoryError):
        guest.write(63, b"\x00\x00")
    with pytest.raises(GuestMemoryError):
        guest.write(-1, b"\x00")
    assert buffer.raw[62:] == b"\xff\xfe"


def test_numbers_are_little_endian_and_unsigned(memory: tuple[GuestMemory, object]) -> None:
    guest, _ = memory
    guest.write(0, b"\xff\xff\xff\xff\x01\x00\x00\x80")
    assert guest.read_u32(0) == 0xFFFF_FFFF
