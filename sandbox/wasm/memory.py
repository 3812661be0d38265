"""The one place where a pointer from a guest is believed (threat-model E3, principal decision 6).

Guest values of type i32 arrive signed in Python, and slices of Python forgive everything. So every
pointer and length is masked to 32 bits and checked in exact arithmetic before a byte is touched.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from typing import Final

_MASK: Final = 0xFFFF_FFFF

# `ctypes.memmove` gives up the interpreter lock, and takes longer to get it back than most copies take.
copy: Final = ctypes.PyDLL(None).memmove
"""(to, from, bytes), holding the interpreter lock."""
copy.restype = ctypes.c_void_p
copy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]


class GuestMemoryError(Exception):
    """A guest named bytes outside its memory, or more of them than the caller takes."""


def checked_range(pointer: int, length: int, size: int, cap: int) -> tuple[int, int]:
    """`pointer` and `length` as unsigned 32-bit numbers that lie within `size` bytes.

    Args:
        pointer: as the guest gave it, of any sign.
        length: likewise, in bytes.
        size: bytes of linear memory now.
        cap: most bytes that the caller takes.

    Raises:
        GuestMemoryError: the range leaves the memory or passes the cap.
    """
    start = pointer & _MASK
    count = length & _MASK
    if count > cap:
        raise GuestMemoryError(f"{count} bytes where at most {cap} are taken")
    if start + count > size:
        raise GuestMemoryError(f"{count} bytes at {start} in a memory of {size}")
    return start, count


class GuestMemory:
    """Linear memory of one instance.

    The engine is configured so that memory never moves (`sandbox.wasm.engine`), so its base is read
    once; its size is read at each access.
    """

    __slots__ = ("_base", "_size")

    def __init__(self, base: int, size: Callable[[], int]) -> None:
        """`base`: address of byte 0 in this process; `size`: tells the bytes accessible now."""
        self._base = base
        self._size = size

    @property
    def size(self) -> int:
        """Bytes of linear memory now."""
        return self._size()

    def read(self, pointer: int, length: int, cap: int) -> bytes:
        """A copy of `length` bytes. Raises `GuestMemoryError`."""
        start, count = checked_range(pointer, length, self._size(), cap)
        return ctypes.string_at(self._base + start, count)

    def write(self, pointer: int, data: bytes) -> None:
        """Put `data` at `pointer`. Raises `GuestMemoryError`."""
        start, count = checked_range(pointer, len(data), self._size(), _MASK)
        if count != len(data):
            raise GuestMemoryError(f"{len(data)} bytes do not fit a 32-bit memory")
        copy(self._base + start, data, count)

    def write_all(self, stretches: Iterable[tuple[int, bytes]]) -> None:
        """`write` for each of `stretches`, whose addresses are the host's own. Raises `GuestMemoryError`."""
        base, size = self._base, self._size()
        for start, data in stretches:
            if start < 0 or start + len(data) > size:
                raise GuestMemoryError(f"{len(data)} bytes at {start} in a memory of {size}")
            copy(base + start, data, len(data))

    def read_u32(self, pointer: int) -> int:
        """The little-endian unsigned 32-bit number at `pointer`. Raises `GuestMemoryError`."""
        return int.from_bytes(self.read(pointer, 4, 4), "little")
