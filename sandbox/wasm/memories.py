"""Linear memories that start as an image and are used again, each time as that image.

wasmtime maps an image copy-on-write for every instance, and each page that a guest writes then costs a page
fault: for CPython, hundreds of them. Here a memory stays mapped when its instance is gone. The kernel tells
which of its pages were ever written; exactly those are copied back from the image. What cannot be told, or
is not worth it, is mapped anew. See docs/decisions/0013-python-instances.md.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import mmap
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from wasmtime import _bindings as c

from sandbox.core.caps import MIB
from sandbox.wasm.memory import copy

_log = logging.getLogger(__name__)

PAGE: Final = mmap.PAGESIZE
MAX_KEPT_BYTES: Final = 4 * MIB
"""A memory of which more was written is mapped anew."""
MAX_USUAL_BYTES: Final = 2 * MIB
"""What executions write as a rule is made ready in a memory that is mapped anew, up to this."""
MAX_IDLE: Final = 8
"""Memories of one image that are kept without an instance."""

_PROT_NONE: Final = 0
_READ_WRITE: Final = mmap.PROT_READ | mmap.PROT_WRITE
_FIXED: Final = 0x10
"""`MAP_FIXED`, which Python does not name."""
_PRIVATE: Final = mmap.MAP_PRIVATE
_NOWHERE: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_FAILED: Final = ctypes.c_void_p(-1).value

# Of the eight bytes that `/proc/self/pagemap` has for a page only the last is looked at. A page that was
# written is in memory (bit 7) and not of the file (bit 5), or swapped out or on the move (bit 6).
_WRITTEN: Final = re.compile(
    b"[" + b"".join(re.escape(bytes([b])) for b in range(256) if b & 0x40 or b & 0xA0 == 0x80) + b"]+",
    re.DOTALL,
)

_libc: Final = ctypes.CDLL(None, use_errno=True)
_mmap: Final = _libc.mmap
_mmap.restype = ctypes.c_void_p
_mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_ssize_t]
_munmap: Final = _libc.munmap
_munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_mprotect: Final = _libc.mprotect
_mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

_DROP: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@dataclass(slots=True)
class _Memory:
    """One reserved stretch of addresses.

    Attributes:
        base: its first address.
        reserved: bytes of addresses.
        size: bytes that the guest may use now.
    """

    base: int
    reserved: int
    size: int


class Creator(Protocol):
    """What `sandbox.wasm.engine.make_engine` takes: it makes the linear memories of an engine."""

    @property
    def creator(self) -> c.wasmtime_memory_creator_t: ...


class Memories:
    """Makes the linear memory of every instance of one engine, whose modules have one memory and no data; or,
    with `Chosen`, of the instances that start as one of several images. Safe to use from several threads.

    Args:
        image: what a memory holds at first.
        size: bytes of a memory at first, whole pages of WebAssembly; behind the image they are zero. Of the
            image when None.
        most_idle: memories kept without an instance; each takes what an execution writes, some 0.8 MB.

    Raises:
        OSError: the image cannot be kept.
    """

    def __init__(
        self, image: bytes | memoryview, size: int | None = None, *, most_idle: int = MAX_IDLE
    ) -> None:
        self._file = -1
        self._idle: list[_Memory] = []
        self._size = len(image) if size is None else size
        if not self._size or self._size % PAGE or self._size < len(image):
            raise ValueError("the image of a memory is whole pages")
        self._most_idle = most_idle
        self._file = _file_of(image, self._size)
        self._image = _map(None, self._size, mmap.PROT_READ, _PRIVATE, self._file)
        self._numbers = itertools.count(1)
        self._living: dict[int, _Memory] = {}
        self._usual: list[tuple[int, int]] = []
        self._new_callback = c.wasmtime_new_memory_callback_t(self._new)
        self._get_callback = c.wasmtime_memory_get_callback_t(self._get)
        self._grow_callback = c.wasmtime_memory_grow_callback_t(self._grow)
        self._drop_callback = _DROP(self._drop)
        self._end_callback = _DROP(_nothing)

    @cached_property
    def creator(self) -> c.wasmtime_memory_creator_t:
        """For an engine that has no other memories."""
        _keep_for_ever(self)
        return c.wasmtime_memory_creator_t(None, self._new_callback, self._end_callback)

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self.close()

    @property
    def size(self) -> int:
        """Bytes of a memory at first."""
        return self._size

    @property
    def idle(self) -> int:
        """Memories without an instance, clean and mapped."""
        return len(self._idle)

    @property
    def living(self) -> int:
        """Memories of instances."""
        return len(self._living)

    @property
    def tells_written_pages(self) -> bool:
        """Whether memories can be cleaned page by page in this process."""
        return _pagemap.written(self._image, PAGE) is not None

    def contents(self) -> list[bytes]:
        """The contents of the memory of every living instance, by age. Nothing may run meanwhile."""
        return [ctypes.string_at(memory.base, memory.size) for memory in list(self._living.values())]

    def close(self) -> None:
        """Give the image and idle memories back to the system. No instance may be made afterwards."""
        while self._idle:
            _unmap(self._idle.pop())
        if self._file >= 0:
            os.close(self._file)
            _munmap(self._image, self._size)
            self._file = -1

    # --- called by wasmtime: nothing may be raised ---

    def _new(
        self, _env: Any, _type: Any, minimum: int, _maximum: int, reserved: int, guard: int, result: Any
    ) -> int:
        try:
            memory = self._take(reserved + guard, minimum)
            number = next(self._numbers)
            self._living[number] = memory
            _in_use[id(self), number] = self
            made = result[0]
            made.env = number
            made.get_memory = self._get_callback
            made.grow_memory = self._grow_callback
            made.finalizer = self._drop_callback
        except BaseException:  # noqa: BLE001
            _log.exception("no memory for an instance could be made")
            return _error()
        return 0

    def _get(self, number: int, size: Any, capacity: Any) -> int:
        memory = self._living[number]
        size[0], capacity[0] = memory.size, memory.reserved
        return memory.base

    def _grow(self, number: int, size: int) -> int:
        memory = self._living[number]
        if size > memory.reserved or _mprotect(memory.base, size, _READ_WRITE):
            return _error()
        memory.size = max(size, memory.size)
        return 0

    def _drop(self, number: int, _finalizing: Any = sys.is_finalizing) -> None:
        if _finalizing():
            return
        memory = self._living.pop(number)
        del _in_use[id(self), number]
        try:
            if self._file < 0 or len(self._idle) >= self._most_idle:
                _unmap(memory)
                return
            self._clean(memory)
            self._idle.append(memory)
        except BaseException:  # noqa: BLE001
            _log.exception("the memory of an instance could not be cleaned and is dropped")
            _unmap(memory)

    # --- inside ---

    def _take(self, reserved: int, minimum: int) -> _Memory:
        if minimum > self._size:
            raise ValueError("the module wants more memory than its image has")
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = _Memory(_map(None, reserved, _PROT_NONE, _NOWHERE, -1), reserved, self._size)
            try:
                self._map_image(memory)
            except OSError:
                _unmap(memory)
                raise
        return memory

    def _map_image(self, memory: _Memory) -> None:
        _map(memory.base, self._size, _READ_WRITE, _PRIVATE | _FIXED, self._file)
        self._copy(memory, self._usual)  # the page faults come now and not in an execution

    def _clean(self, memory: _Memory) -> None:
        """Make `memory` the image again, and nothing beyond it."""
        if memory.size > self._size:
            beyond = memory.base + self._size
            _map(beyond, memory.size - self._size, _PROT_NONE, _NOWHERE | _FIXED, -1)
            memory.size = self._size
        written = _pagemap.written(memory.base, self._size)
        total = sum(end - start for start, end in written or ())
        if written is None or total > MAX_KEPT_BYTES:
            self._map_image(memory)
            return
        self._copy(memory, written)
        if total <= MAX_USUAL_BYTES:
            self._usual = written

    def _copy(self, memory: _Memory, stretches: list[tuple[int, int]]) -> None:
        base, image = memory.base, self._image
        for start, end in stretches:
            copy(base + start, image + start, end - start)


class Chosen:
    """Makes the memories of an engine that has several images: each instance starts as the image that its
    thread has chosen."""

    def __init__(self) -> None:
        self._here = threading.local()
        self._new_callback = c.wasmtime_new_memory_callback_t(self._new)
        self._end_callback = _DROP(_nothing)
        self.creator: Final = c.wasmtime_memory_creator_t(None, self._new_callback, self._end_callback)
        _keep_for_ever(self)

    @contextmanager
    def image(self, memories: Memories) -> Iterator[None]:
        """Instances that this thread makes in the block have their memory from `memories`."""
        self._here.memories = memories
        try:
            yield
        finally:
            del self._here.memories

    def _new(self, *given: Any) -> int:
        try:
            memories: Memories = self._here.memories
        except AttributeError:
            _log.exception("an instance without an image")
            return _error()
        return memories._new(*given)


_in_use: Final[dict[tuple[int, int], Memories]] = {}
"""Whom wasmtime calls back for each living memory."""


def _keep_for_ever(owner: object) -> None:
    """Engines that live until the interpreter goes still call back then."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))


class _PageMap:
    """Tells which pages of a private mapping were ever written, where the kernel lets us know."""

    def __init__(self) -> None:
        self._process = 0
        self._file = -1

    def written(self, base: int, size: int) -> list[tuple[int, int]] | None:
        """(start, end) of each stretch, as offsets; None when it cannot be told."""
        if self._process != os.getpid():  # of a forked process it would tell about the parent
            self._open()
        if self._file < 0:
            return None
        wanted = size // PAGE * 8
        try:
            entries = os.pread(self._file, wanted, base // PAGE * 8)
        except OSError:  # a filter of system calls that came later
            return None
        if len(entries) != wanted:
            return None
        return [(found.start() * PAGE, found.end() * PAGE) for found in _WRITTEN.finditer(entries[7::8])]

    def _open(self) -> None:
        self._process, self._file = os.getpid(), -1
        try:
            self._file = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
            works = self._works()
        except OSError:
            works = False
        if not works:
            _log.info("written pages cannot be told on this system: executions take longer")
            self._file = -1

    def _works(self) -> bool:
        """Try it: of eight pages two are written, one is read."""
        size = 8 * PAGE
        file = _file_of(b"x" * size, size)
        base = _map(None, size, _READ_WRITE, _PRIVATE, file)
        try:
            ctypes.string_at(base, 1)
            for page in (2, 5):
                ctypes.memset(base + page * PAGE, 0, 1)
            return self.written(base, size) == [(2 * PAGE, 3 * PAGE), (5 * PAGE, 6 * PAGE)]
        finally:
            _munmap(base, size)
            os.close(file)


_pagemap: Final = _PageMap()
"""Of all memories: a worker opens it before it gives up its rights."""


def _file_of(content: bytes | memoryview, size: int) -> int:
    """A file without a name that holds `content`, and zeros up to `size`, which take no memory."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("actionbox-memory", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]
    os.truncate(file, size)
    return file


def _map(address: int | None, size: int, protection: int, flags: int, file: int) -> int:
    found = _mmap(address, size, protection, flags, file, 0)
    if found is None or found == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, f"no {size} bytes of memory could be mapped: {os.strerror(number)}")
    return int(found)


def _unmap(memory: _Memory) -> None:
    _munmap(memory.base, memory.reserved)


def _error() -> int:
    return int(ctypes.cast(c.wasmtime_error_new(b"no memory"), ctypes.c_void_p).value or 0)


def _nothing(_env: Any) -> None:
    """wasmtime is done with the engine."""
