"""Executions as they end, for those who watch: bounded, and never in the way of those who run them."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from runner.store.database.engine import json_text

MAX_BACKLOG: Final = 1_000
MAX_BACKLOG_BYTES: Final = 8 * 1024 * 1024
"""Items, and bytes of all of them, that a slow reader may be behind; then it loses the oldest, and is
told how many."""
MAX_READERS: Final = 20
"""Streams of one tenant at a time."""

Item = Mapping[str, Any]


class TooManyReadersError(Exception):
    """The tenant has `MAX_READERS` streams open."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with its JSON text, which all readers share, and the bytes that this takes."""

    item: Item
    text: str
    size: int


class Reader:
    """One open stream."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Shown] = asyncio.Queue()
        self._bytes = 0
        self.lost = 0

    def offer(self, shown: Shown) -> None:
        """Add an item; the oldest give way when the reader is too far behind."""
        self._bytes += shown.size
        self._queue.put_nowait(shown)
        while self._queue.qsize() > MAX_BACKLOG or self._bytes > MAX_BACKLOG_BYTES:
            self._taken(self._queue.get_nowait())
            self.lost += 1

    async def next(self, seconds: float) -> Shown | None:
        """The next item, None when none came in time."""
        try:
            return self._taken(await asyncio.wait_for(self._queue.get(), seconds))
        except TimeoutError:
            return None

    def _taken(self, shown: Shown) -> Shown:
        self._bytes -= shown.size
        return shown


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

    def has_readers(self, tenant: str) -> bool:
        """Whether somebody watches the tenant."""
        return tenant in self._readers

    def publish(self, tenant: str, item: Item) -> None:
        readers = self._readers.get(tenant)
        if not readers:
            return
        self._listener(tenant, item)
        text = json_text(item)
        shown = Shown(item, text, len(text) if text.isascii() else sys.getsizeof(text))
        for reader in readers:
            reader.offer(shown)

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
