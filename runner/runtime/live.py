"""Executions as they end, for those who watch: bounded, and never in the way of those who run them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

_BACKLOG: Final = 1_000
"""Items that a slow reader may be behind; then it loses the oldest, and is told how many."""
MAX_READERS: Final = 20
"""Streams of one tenant at a time."""

Item = Mapping[str, Any]


class TooManyReadersError(Exception):
    """The tenant has `MAX_READERS` streams open."""


class Reader:
    """One open stream."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item] = asyncio.Queue(_BACKLOG)
        self.lost = 0

    def offer(self, item: Item) -> None:
        """Add an item; the oldest gives way when the reader is too far behind."""
        if self._queue.full():
            self._queue.get_nowait()
            self.lost += 1
        self._queue.put_nowait(item)

    async def next(self, seconds: float) -> Item | None:
        """The next item, None when none came in time."""
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except TimeoutError:
            return None


class Hub:
    """Hands items to the readers of their tenant. For one event loop."""

    def __init__(self) -> None:
        self._readers: defaultdict[str, set[Reader]] = defaultdict(set)
        self._listener: Callable[[str, Item], None] = lambda _tenant, _item: None
        self._opened: Callable[[str], None] = lambda _tenant: None

    def on_publish(self, listener: Callable[[str, Item], None]) -> None:
        """`listener` is told of every item of a tenant that somebody watches."""
        self._listener = listener

    def on_reader(self, listener: Callable[[str], None]) -> None:
        """`listener` is told of every tenant that somebody begins to watch."""
        self._opened = listener

    def publish(self, tenant: str, item: Item) -> None:
        if tenant in self._readers:
            self._listener(tenant, item)
        for reader in self._readers.get(tenant, ()):
            reader.offer(item)

    def watched(self) -> tuple[str, ...]:
        """Tenants that somebody watches."""
        return tuple(self._readers)

    @asynccontextmanager
    async def reader(self, tenant: str) -> AsyncIterator[Reader]:
        """A reader of `tenant`, until the block is left. Raises `TooManyReadersError`."""
        readers = self._readers[tenant]
        if len(readers) >= MAX_READERS:
            raise TooManyReadersError
        reader = Reader()
        readers.add(reader)
        self._opened(tenant)
        try:
            yield reader
        finally:
            readers.discard(reader)
            if not readers:
                self._readers.pop(tenant, None)
