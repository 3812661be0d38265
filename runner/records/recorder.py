"""Recording off the path of answers: a bounded queue, and a thread that stores what is in it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from runner.records.quota import Quotas
from runner.records.subjects import tenant_key
from runner.records.writing import Item, NewLeg, Prepared, RecordWriter
from runner.store import KeyRing, Store
from runner.store.database.faults import is_unavailable

_log: Final = structlog.get_logger("actionbox.records")
_GATHER_SECONDS: Final = 0.1
"""From the first item to its transaction: what comes meanwhile shares it. Longer than a login takes, so that
most logins meet no transaction of ours."""
_MOST: Final = 64
"""Items of one transaction."""
_MOST_BYTES: Final = 4 * 1024 * 1024
_AGAIN_SECONDS: Final = 1.0
_TRIES: Final = 10
"""Times that a transaction is begun when the database cannot be used, while the queue fills."""
_LOG_SECONDS: Final = 60.0
QUEUE: Final = "queue"
DATABASE: Final = "database"
STOPPING: Final = "stopping"
QUOTA: Final = "quota"
"""Why records were dropped; the others are in `runner.records.states`."""


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """Attributes:
    days: how long records stay.
    quota_bytes: of one tenant's records.
    leg_bytes: of the record of one leg, as JSON.
    queue_items, queue_bytes: that wait to be stored.
    """

    days: float = 7.0
    quota_bytes: int = 256 * 1024 * 1024
    leg_bytes: int = 4 * 1024 * 1024
    queue_items: int = 2_000
    queue_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RecordStats:
    """Numbers since the start, and of the queue now. `kept`, `bytes`: legs that were stored, and their bytes
    as stored; `dropped`: by reason."""

    kept: dict[str, int]
    bytes: int
    dropped: dict[str, int]
    queue: int
    queue_bytes: int


@dataclass(slots=True)
class _Numbers:
    kept: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Takes items from an event loop and stores them from a thread of its own. Never blocks who gives."""

    def __init__(self, store: Store, ring: Callable[[], KeyRing], limits: RecordLimits | None = None) -> None:
        self.limits: Final = limits or RecordLimits()
        self._database = store
        self._ring = ring
        self._keys: dict[str, bytes] = {}
        self._writer = RecordWriter(ring, self._keys.__getitem__, self.limits.days)
        self._quotas = Quotas(self.limits.quota_bytes)
        self._numbers = _Numbers()
        self._waiting: deque[Item] = deque()
        self._bytes = 0
        self._taken = 0
        self._put = self._done = 0
        self._tokens = 0
        self._expected: set[int] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._tell_at = 0.0
        self._untold: Counter[str] = Counter()

    # --- from any thread ---

    def put(self, item: Item) -> bool:
        """Store `item` soon; False when the queue is full, and it is dropped and counted."""
        with self._changed:
            full = (
                len(self._waiting) >= self.limits.queue_items
                or self._bytes + item.bytes > self.limits.queue_bytes
            )
            if not full and not self._stopping:
                self._waiting.append(item)
                self._bytes += item.bytes
                self._put += 1
                self._start()
                self._changed.notify_all()
                return True
        self.dropped(STOPPING if self._stopping else QUEUE)
        return False

    def expect(self) -> int:
        """A worker writes a record down that is to be put here. Returns what `arrived` is to be told."""
        with self._changed:
            self._tokens += 1
            self._expected.add(self._tokens)
            return self._tokens

    def arrived(self, token: int) -> None:
        """It was put here, or there is none."""
        with self._changed:
            self._expected.discard(token)
            self._changed.notify_all()

    def dropped(self, reason: str, count: int = 1) -> None:
        """Count records that are not stored, and log that there are such, once a minute."""
        with self._changed:
            self._numbers.dropped[reason] += count
            self._untold[reason] += count
            now = time.monotonic()
            if now < self._tell_at:
                return
            self._tell_at, told = now + _LOG_SECONDS, dict(self._untold)
            self._untold.clear()
        _log.warning("records were not kept", **told)

    def stats(self) -> RecordStats:
        """The numbers now."""
        with self._changed:
            numbers = self._numbers
            return RecordStats(
                dict(numbers.kept),
                numbers.bytes,
                dict(numbers.dropped),
                len(self._waiting) + self._taken,
                self._bytes,
            )

    def settled(self, seconds: float) -> bool:
        """Wait until what is expected or in the queue now is stored, for at most `seconds`; whether it is."""
        until = time.monotonic() + seconds
        with self._changed:
            expected = set(self._expected)
            if not self._changed.wait_for(lambda: expected.isdisjoint(self._expected), seconds):
                return False
            last = self._put
            return self._changed.wait_for(lambda: self._done >= last, max(0.0, until - time.monotonic()))

    async def drain(self, seconds: float = 5.0) -> None:
        """Store what waits, for at most `seconds`; what is left is dropped and counted. Further items are
        refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        await asyncio.to_thread(self.settled, seconds)
        with self._changed:
            left = sum(1 for item in self._waiting if isinstance(item, NewLeg))
            self._done += len(self._waiting)
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if left:
            self.dropped(STOPPING, left)
        if thread is not None:
            await asyncio.to_thread(thread.join, 1.0)
        with self._changed:
            self._stopping = False

    # --- in the thread ---

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="actionbox-records", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while batch := self._next():
            for part in self._store(batch):
                self._give_up(part)
            with self._changed:
                self._taken = 0
                self._done += len(batch)
                self._changed.notify_all()

    def _next(self) -> list[Item]:
        """The next batch, taken out of the queue; empty when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            if not self._waiting:
                return []
            self._changed.wait_for(lambda: self._stopping or len(self._waiting) >= _MOST, _GATHER_SECONDS)
            batch: list[Item] = []
            total = 0
            while self._waiting and len(batch) < _MOST and (total < _MOST_BYTES or not batch):
                item = self._waiting.popleft()
                batch.append(item)
                total += item.bytes
            self._bytes -= total
            self._taken = len(batch)
            return batch

    def _store(self, batch: list[Item]) -> list[list[Item]]:
        """Store a batch; the parts of it that cannot be stored. A bad item spoils no other."""
        try:
            self._try(batch)
        except Exception as error:  # noqa: BLE001 - the next batch may be stored
            if len(batch) > 1 and not is_unavailable(error):
                return [part for item in batch for part in self._store([item])]
            _log.error("records could not be stored", reason=type(error).__name__, items=len(batch))
            return [batch]
        return []

    def _give_up(self, batch: list[Item]) -> None:
        count = sum(1 for item in batch if isinstance(item, NewLeg))
        if count:
            self.dropped(DATABASE, count)

    def _try(self, batch: list[Item]) -> None:
        """Raises `SealError`, and what the database raises, at last."""
        for tenant in {item.tenant for item in batch if item.tenant not in self._keys}:
            self._keys[tenant] = tenant_key(self._database, self._ring(), tenant)
        prepared = self._writer.prepare(batch)
        for tried in range(_TRIES):
            try:
                self._write(prepared)
            except Exception as error:
                self._writer.forget()
                if not is_unavailable(error) or tried + 1 == _TRIES or self._stopping:
                    raise
                time.sleep(_AGAIN_SECONDS)
            else:
                return

    def _write(self, prepared: list[Prepared]) -> None:
        with self._database.begin() as session:
            added = self._writer.write(session, prepared)
            removed = self._quotas.enforce(session, added)
        with self._changed:
            legs = [found.item for found in prepared if isinstance(found.item, NewLeg)]
            self._numbers.kept.update(item.state.state for item in legs)
            self._numbers.bytes += added.total()
        if removed:
            self.dropped(QUOTA, removed)
