"""What other replicas record, for the log streams that are open here."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

import structlog

from runner.runtime.executions import changed_since
from runner.runtime.live import Hub
from runner.runtime.wire import execution, moment
from runner.store import Store
from runner.store.columns import now
from runner.store.runs import ExecutionRow

_log: Final = structlog.get_logger("actionbox.follow")
_EVERY_SECONDS: Final = 1.0
_OVERLAP: Final = timedelta(seconds=5)
"""Rows are committed later than they are stamped: look back this far each time."""
_MOST: Final = 500
_REMEMBERED: Final = 20_000


class Follower:
    """Looks for new executions of watched tenants. For one event loop."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._shown: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        hub.on_publish(self._remember)

    async def run(self, stop: asyncio.Event) -> None:
        """Once a second while somebody watches, until `stop` is set."""
        since = now()
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS)
            except TimeoutError:
                began, tenants = now(), self._hub.watched()
                if tenants:
                    await self._look(tenants, since)
                since = began - _OVERLAP

    async def _look(self, tenants: tuple[str, ...], since: datetime) -> None:
        def read() -> list[ExecutionRow]:
            with self._store.read() as session:
                return changed_since(session, tenants, since, _MOST)

        try:
            rows = await asyncio.to_thread(read)
        except Exception:  # noqa: BLE001 - a database that is away comes back
            _log.exception("executions of other replicas cannot be read")
            return
        for row in rows:
            if row.status != "pending" and self._key(row) not in self._shown:
                self._hub.publish(row.tenant_id, execution(row))

    def _remember(self, tenant: str, item: object) -> None:
        assert isinstance(item, dict)
        self._shown[(tenant, item["id"], item["updated_at"])] = None
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)

    def _key(self, row: ExecutionRow) -> tuple[str, str, str]:
        return (row.tenant_id, row.id, moment(row.updated_at))
