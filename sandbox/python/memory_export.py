"""Adds to the Python component a function that tells how much memory its instance has.

A component keeps its memory to itself, and wasmtime's C API does not ask it. So three definitions are put
behind the others: a core module of one instruction, its instance over the guest's memory, and the export.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from sandbox.python.data import LayoutError
from sandbox.wasm.binary import HEADER_BYTES, MODULE, name, read_unsigned, section, sections, unsigned

EXPORT: Final = "memory-pages"
"""Name of the function: pages of 64 KiB, now."""

_CORE_MODULE, _CORE_INSTANCE, _ALIAS, _TYPE, _CANON, _IMPORT, _EXPORT = 1, 2, 6, 7, 8, 10, 11
_U32: Final = 0x79
_OWNER: Final = "core instance of the memory"
"""Kept among the counts: the index of the instance that the memory is taken from."""

_GAUGE: Final = MODULE + b"".join(
    (
        section(1, b"\x01\x60\0\x01\x7f"),  # type: () -> i32
        section(2, b"\x01" + name("m") + name("memory") + b"\x02\0\0"),  # import memory
        section(3, b"\x01\0"),
        section(7, b"\x01" + name("pages") + b"\0\0"),
        section(10, b"\x01\x04\0\x3f\0\x0b"),  # memory.size
    )
)


def with_gauge(component: bytes) -> bytes:
    """`component` with `EXPORT` added.

    Raises:
        LayoutError: it is put together in a way unknown to this.
    """
    counts = _count(component)
    if counts["core memory"] != 1:
        raise LayoutError("the Python image has not one memory")
    instance = counts["core instance"]
    added = (
        section(_CORE_MODULE, _GAUGE),
        section(
            _CORE_INSTANCE,
            b"\x01\0"
            + unsigned(counts["core module"])
            + b"\x01"
            + name("m")
            + b"\x12"
            + unsigned(counts[_OWNER]),
        ),
        section(_ALIAS, b"\x01\0\0\x01" + unsigned(instance) + name("pages")),
        section(_TYPE, b"\x01\x40\0\0" + bytes([_U32])),
        section(_CANON, b"\x01\0\0" + unsigned(counts["core func"]) + b"\0" + unsigned(counts["type"])),
        section(_EXPORT, b"\x01\0" + name(EXPORT) + b"\x01" + unsigned(counts["func"]) + b"\0"),
    )
    return component + b"".join(added)


def _count(component: bytes) -> Counter[str]:
    """The number of each kind that the component defines; the next one gets it as its index."""
    counts: Counter[str] = Counter()
    for kind, start, end in sections(component, HEADER_BYTES, len(component)):
        if kind == _CORE_MODULE:
            counts["core module"] += 1
        elif kind in _WHOLE:
            counts[_WHOLE[kind]] += read_unsigned(component, start)[0]
        elif kind in _PARTS:
            try:
                _PARTS[kind](_Reader(component, start, end), counts)
            except IndexError:
                raise LayoutError("a section of the Python image is cut") from None
    return counts


class _Reader:
    """Walks through one section."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self._content = content
        self._at = at
        self._end = end

    def byte(self) -> int:
        if self._at >= self._end:
            raise IndexError
        self._at += 1
        return self._content[self._at - 1]

    def number(self) -> int:
        value, self._at = read_unsigned(self._content, self._at)
        return value

    def name(self) -> bytes:
        length = self.number()
        self._at += length
        return self._content[self._at - length : self._at]

    def sort(self) -> str:
        """The kind of thing that is spoken of."""
        first = self.byte()
        found = _CORE_SORTS.get(self.byte()) if first == 0 else _SORTS.get(first)
        if found is None:
            raise LayoutError("the Python image names a kind of thing that is unknown here")
        return found


_WHOLE: Final = {_CORE_INSTANCE: "core instance", _TYPE: "type"}
_CORE_SORTS: Final = {0: "core func", 1: "core table", 2: "core memory", 3: "core global", 0x10: "core type",
                      0x11: "core module", 0x12: "core instance"}  # fmt: skip
_SORTS: Final = {1: "func", 2: "value", 3: "type", 4: "component", 5: "instance"}


def _aliases(reader: _Reader, counts: Counter[str]) -> None:
    for _ in range(reader.number()):
        sort = reader.sort()
        counts[sort] += 1
        target, place = reader.byte(), reader.number()
        if target == 2:
            reader.number()
            continue
        if reader.name() == b"memory" and sort == "core memory":
            counts[_OWNER] = place


def _canons(reader: _Reader, counts: Counter[str]) -> None:
    for _ in range(reader.number()):
        kind = reader.byte()
        if kind > 4:
            raise LayoutError("the Python image uses a canonical function that is unknown here")
        counts["func" if kind == 0 else "core func"] += 1
        if kind <= 1:
            reader.byte()
        reader.number()
        if kind <= 1:
            _options(reader)
        if kind == 0:
            reader.number()


def _options(reader: _Reader) -> None:
    for _ in range(reader.number()):
        if reader.byte() in _OPTIONS_WITH_INDEX:
            reader.number()


_OPTIONS_WITH_INDEX: Final = (3, 4, 5, 7)


def _imports(reader: _Reader, counts: Counter[str]) -> None:
    for _ in range(reader.number()):
        reader.byte()
        reader.name()
        _described(reader, counts)


def _exports(reader: _Reader, counts: Counter[str]) -> None:
    for _ in range(reader.number()):
        reader.byte()
        reader.name()
        counts[reader.sort()] += 1
        reader.number()
        if reader.byte():
            _described(reader, Counter())


def _described(reader: _Reader, counts: Counter[str]) -> None:
    """The type of something imported or exported."""
    sort = reader.sort()
    counts[sort] += 1
    if sort in ("type", "value") and reader.byte() == 1:
        return
    reader.number()


_PARTS: Final = {_ALIAS: _aliases, _CANON: _canons, _IMPORT: _imports, _EXPORT: _exports}
