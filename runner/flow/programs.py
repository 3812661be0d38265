"""Programs are built once per source and kept, so that nothing is compiled on the path of a login."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import sandbox
from runner.model.caps import MAX_PROGRAMS
from sandbox.core.failure import BuildError, Failure
from sandbox.core.program import Program, Source


class ProgramCache:
    """Least recently used programs by source; safe between threads.

    A source that does not build is remembered too: the same text fails in the same way.
    """

    def __init__(self, build: Callable[[Source], Program] | None = None, size: int = MAX_PROGRAMS) -> None:
        """`build`: raises `BuildError`; None takes `sandbox.build`. `size`: programs kept, at least 1."""
        self._build = build or sandbox.build
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Source, Program | Failure] = OrderedDict()

    def get(self, source: Source) -> Program:
        """The program of `source`. Raises `BuildError`."""
        with self._lock:
            found = self._kept.get(source)
            if found is not None:
                self._kept.move_to_end(source)
        if found is None:
            found = self._make(source)
        if isinstance(found, Failure):
            raise BuildError(found)
        return found

    def __contains__(self, source: Source) -> bool:
        with self._lock:
            return source in self._kept

    def forget(self, source: Source) -> None:
        """Drop the program of `source`, which is not wanted any more."""
        with self._lock:
            self._kept.pop(source, None)

    def _make(self, source: Source) -> Program | Failure:
        made: Program | Failure
        try:
            made = self._build(source)
        except BuildError as error:
            made = error.failure
            if made.code not in _LASTING:
                return made
        with self._lock:
            self._kept[source] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made


_LASTING = frozenset({"syntax", "policy"})
"""Failures of a build that the same source always has; a timeout or a fault of ours may pass."""
