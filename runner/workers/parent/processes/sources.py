"""Register of the sources that a worker has: each crosses once and is named by a number from then on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from runner.model.caps import MAX_WORKER_SOURCE_BYTES, MAX_WORKER_SOURCES
from runner.workers.protocol.codec import source_bytes
from runner.workers.protocol.frames import encode
from sandbox.core.program import Dependencies, Source


class SourceTable:
    """Least recently used sources of one worker, bounded in number and size. The parent decides what is
    dropped, and says so before it uses the room."""

    def __init__(self, sources: int = MAX_WORKER_SOURCES, size: int = MAX_WORKER_SOURCE_BYTES) -> None:
        self._most = sources
        self._most_size = size
        self._numbers: OrderedDict[Source, int] = OrderedDict()
        self._size = 0
        self._last = 0
        self._dependencies: OrderedDict[str, Dependencies] = OrderedDict()

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, source: Source, frames: list[bytes]) -> int:
        """The number of `source`; when the worker does not have it, what it must be sent is put into
        `frames`. Nothing that one call needs is dropped for it: the least used goes first."""
        known = self._numbers.get(source)
        if known is not None:
            self._numbers.move_to_end(source)
            return known
        self._last += 1
        frames.append(encode({"t": "source", "id": self._last}, source_bytes(source)))
        self._numbers[source] = self._last
        self._size += len(source.text)
        self.know(source)
        return self._last

    def know(self, source: Source) -> None:
        """The worker gets this source, now or with the flow that it resumes, and may ask for its image."""
        if source.dependencies is not None:
            self._dependencies[source.dependencies.digest] = source.dependencies
            while len(self._dependencies) > self._most:
                self._dependencies.popitem(last=False)

    def shrink(self, needed: int, frames: list[bytes]) -> None:
        """Drop what is over the bounds, but none of the `needed` that were used last."""
        dropped = []
        while len(self._numbers) > needed and (
            len(self._numbers) > self._most or self._size > self._most_size
        ):
            dropped.append(self._drop(next(iter(self._numbers))))
        if dropped:
            frames.append(encode({"t": "drop", "ids": dropped}))

    def forget(self, which: Callable[[Source], bool]) -> bytes:
        """The message by which the worker drops the sources that `which` names; empty for none."""
        dropped = [self._drop(source) for source in list(self._numbers) if which(source)]
        return encode({"t": "drop", "ids": dropped}) if dropped else b""

    def _drop(self, source: Source) -> int:
        self._size -= len(source.text)
        return self._numbers.pop(source)

    def dependencies(self, digest: str) -> Dependencies | None:
        """The packages and modules with this digest, if the worker was given a source that uses them."""
        return self._dependencies.get(digest)
