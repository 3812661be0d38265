"""Programs as they lie in memory once they are loaded, so that most executions need not load them.

Loading a program (reading its bytecode, building its `api`) runs no tenant code and depends on nothing
but the program and its surface. So it always leaves the same bytes in an instance of the same image: they
are taken once, as whole pages, and copied into further instances.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sandbox.core.caps import MIB, Limits
from sandbox.core.program import Program
from sandbox.javascript.hostcalls import Host
from sandbox.javascript.image import Image
from sandbox.javascript.null_port import Silence
from sandbox.javascript.quickjs.machine import GuestExceptionError, GuestStarvedError, Machine
from sandbox.javascript.surface import compact_surface
from sandbox.wasm.calls import entered
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.traps import GuestStopped

_PAGE: Final = 4096
_KEPT: Final = 64
"""Programs kept, the least used dropped first; each takes some 300 kB."""
MAX_BYTES: Final = 64 * MIB
"""Of all programs of one image together."""
_SECONDS: Final = 2.0

_Key = tuple[bytes, str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program with its surface, to be put into a fresh instance.

    Attributes:
        program: what to run.
        about: what the guest's `prepare` is told, as JSON.
        pages: (address, bytes) that loading it writes; None when it is to be loaded.
    """

    program: Program
    about: str
    pages: tuple[tuple[int, bytes], ...] | None = None

    @property
    def size(self) -> int:
        """Bytes of its pages."""
        return sum(len(content) for _, content in self.pages or ())

    def put_into(self, machine: Machine) -> None:
        """Load the program into an instance that has done nothing yet. Raises `GuestExceptionError`."""
        if self.pages is None:
            machine.load(self.program.code, self.about)
        else:
            machine.memory.write_all(self.pages)


class Checkpoints:
    """The programs that ran lately. Safe to use from several threads.

    Args:
        most_bytes: kept of all programs.

    Attributes:
        largest_share: a program that changes more than this part of `most_bytes` is loaded each time.
    """

    def __init__(self, image: Image, most_bytes: int = MAX_BYTES) -> None:
        self._image = image
        self._most_bytes = most_bytes
        self.largest_share = 8
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, Prepared | None] = OrderedDict()

    def prepare(self, program: Program, surface: str | None) -> Prepared:
        """`program` with the surface of its trigger (None: only its exports are asked for). Its pages are
        taken when it is asked for a second time, because most command lines run it once."""
        about = describe(program, surface)
        key = (program.code, program.source.filename, about)
        with self._lock:
            seen = key in self._known
            prepared = self._known.setdefault(key, None)
            self._known.move_to_end(key)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        if prepared is not None:
            return prepared if prepared.program is program else Prepared(program, about, prepared.pages)
        prepared = Prepared(program, about)
        if seen:
            prepared = Prepared(
                program, about, _pages(self._image, prepared, self._most_bytes // self.largest_share)
            )
            self._keep(key, prepared)
        return prepared

    @property
    def kept_bytes(self) -> int:
        """Bytes of pages that are kept."""
        with self._lock:
            return sum(prepared.size for prepared in self._known.values() if prepared)

    def _keep(self, key: _Key, prepared: Prepared) -> None:
        with self._lock:
            self._known[key] = prepared
            self._known.move_to_end(key)
            total = sum(known.size for known in self._known.values() if known)
            while total > self._most_bytes:
                _, dropped = self._known.popitem(last=False)
                total -= dropped.size if dropped else 0


def describe(program: Program, surface: str | None) -> str:
    """The argument of the guest's `prepare`."""
    filename = json.dumps(program.source.filename)
    if surface is None:
        return f'{{"filename":{filename}}}'
    return f'{{"filename":{filename},"surface":{compact_surface(surface)}}}'


def _pages(image: Image, prepared: Prepared, most_bytes: int) -> tuple[tuple[int, bytes], ...] | None:
    """The pages that loading `prepared` writes in a fresh instance; None when that cannot be told."""
    host = Host(Silence())
    try:
        with entered(host), image.store(Limits(), time.monotonic() + _SECONDS) as timed:
            exports = image.instantiate(timed.store)
            machine = host.machine = Machine(exports, image.layout)
            before = machine.memory.read(0, machine.memory.size, machine.memory.size)
            prepared.put_into(machine)
            after = machine.memory.read(0, machine.memory.size, machine.memory.size)
    except (GuestStopped, GuestExceptionError, GuestStarvedError, GuestMemoryError):
        return None
    pages = tuple(_changed(before, after)) if len(before) == len(after) else None
    return pages if pages and sum(len(content) for _, content in pages) <= most_bytes else None


def _changed(before: bytes, after: bytes) -> list[tuple[int, bytes]]:
    """Runs of pages that differ."""
    runs: list[tuple[int, int]] = []
    for at in range(0, len(after), _PAGE):
        if before[at : at + _PAGE] == after[at : at + _PAGE]:
            continue
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + _PAGE)
        else:
            runs.append((at, at + _PAGE))
    return [(start, after[start:end]) for start, end in runs]
