"""Tail of what other processes record, for the log streams open here: told at once, and looked for at times.

Who has a stream open says so every few seconds; only then do the others tell what they record.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.runtime.log_hub import Hub
from runner.runtime.records.executions import Recorded, changed_since, executions_of, portions_of
from runner.store import Store
from runner.store.database.notices import EXECUTIONS, WATCHED, Notice, announce
from runner.store.tables.columns import now

_log: Final = structlog.get_logger("actionbox.follow")
_EVERY_SECONDS: Final = 1.0
_HEARD_SECONDS: Final = 10.0
"""The same while other processes are heard; also how often we say whom somebody watches here."""
_WATCHED_SECONDS: Final = 25.0
"""How long that is believed."""
_OVERLAP: Final = timedelta(seconds=5)
"""Rows are committed later than they are stamped: look back this far each time."""
_INSTANT: Final = timedelta(microseconds=1)
_NEVER: Final = float("-inf")
_MOST: Final = 500
_PENDING: Final = "pending"
_REMEMBERED: Final = 20_000


@dataclass(slots=True)
class _Watched:
    """A tenant whose stream is open here: since when, and what was done for it when."""

    opened: datetime
    said: float = _NEVER
    looked: float = _NEVER
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.opened


class Follower:
    """Shows executions of watched tenants here, and tells those that are watched elsewhere. For one event
    loop, but for `recorded`."""

    def __init__(self, store: Store, hub: Hub, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._hub = hub
        self._monotonic = monotonic
        self._shown: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._elsewhere: dict[str, float] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._some = asyncio.Event()
        if not store.is_sqlite:
            hub.on_publish(self._remember)
            hub.on_reader(lambda _: self._some.set())
            store.listen(WATCHED, self._watched, elsewhere=True)
            store.listen(EXECUTIONS, self._recorded_elsewhere, elsewhere=True)

    def recorded(self, tenant: str, execution_id: str) -> Callable[[Session], None] | None:
        """An execution is about to be recorded: tells those who watch it elsewhere, in the transaction that
        does; None when nobody does."""
        if self._monotonic() >= self._elsewhere.get(tenant, 0.0):
            return None
        return lambda session: announce(session, Notice(EXECUTIONS, tenant, execution_id))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        watched: dict[str, _Watched] = {}
        while not stop.is_set():
            await self._pause(stop)
            watched = {name: watched.get(name) or _Watched(now()) for name in self._hub.watched()}
            told, self._told = list(self._told), {}
            try:
                for tenant in dict.fromkeys(tenant for tenant, _ in told):
                    await self._show(tenant, [key for owner, key in told if owner == tenant])
                await self._look_around(watched)
            except Exception:  # noqa: BLE001 - a database that is away comes back
                _log.exception("executions of other processes cannot be read")

    async def _look_around(self, watched: dict[str, _Watched]) -> None:
        moment_ = self._monotonic()
        every = _HEARD_SECONDS if self._store.hears else _EVERY_SECONDS
        unsaid = [name for name, item in watched.items() if moment_ - item.said >= _HEARD_SECONDS]
        if unsaid:
            await asyncio.to_thread(self._say, unsaid)
        for name in unsaid:
            watched[name].said = moment_
        for name, item in watched.items():
            if moment_ - item.looked >= every:
                began = now()
                await self._look(name, item.since)
                item.looked, item.since = moment_, max(item.opened, began - _OVERLAP)

    async def _pause(self, stop: asyncio.Event) -> None:
        """Until there is something to do, a second at most."""
        waits = [asyncio.create_task(self._some.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        self._some.clear()
        for wait in waits:
            wait.cancel()

    def _say(self, tenants: Sequence[str]) -> None:
        with self._store.begin() as session:
            for tenant in tenants:
                announce(session, Notice(WATCHED, tenant))

    async def _look(self, tenant: str, since: datetime) -> None:
        def read(after: datetime) -> list[Recorded]:
            with self._store.read() as session:
                return changed_since(session, tenant, after, _MOST)

        while True:
            rows = await asyncio.to_thread(read, since)
            unseen = [
                row.id
                for row in rows
                if row.status != _PENDING and (tenant, row.id, moment(row.updated_at)) not in self._shown
            ]
            await self._show(tenant, unseen)
            if len(rows) < _MOST or rows[0].updated_at == rows[-1].updated_at:
                return
            since = rows[-1].updated_at - _INSTANT  # more may be stamped like the last

    async def _show(self, tenant: str, ids: Sequence[str]) -> None:
        """Show what has not been shown, a few megabytes at a time."""

        def divided() -> list[list[str]]:
            with self._store.read() as session:
                return portions_of(session, tenant, ids)

        def read(portion: Sequence[str]) -> list[dict[str, Any]]:
            with self._store.read() as session:
                return executions_of(session, tenant, portion)

        for portion in await asyncio.to_thread(divided) if ids else ():
            for item in await asyncio.to_thread(read, portion):
                key = (tenant, item["id"], item["updated_at"])
                if item["status"] != _PENDING and key not in self._shown:
                    self._hub.publish(tenant, item)

    def _watched(self, notice: Notice) -> None:
        self._elsewhere[notice.tenant] = self._monotonic() + _WATCHED_SECONDS

    def _recorded_elsewhere(self, notice: Notice) -> None:
        if notice.tenant in self._hub.watched():
            self._told[(notice.tenant, notice.key)] = None
            self._some.set()

    def _remember(self, tenant: str, item: object) -> None:
        assert isinstance(item, dict)
        self._shown[(tenant, item["id"], item["updated_at"])] = None
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
