"""Deleting what has been kept long enough: executions and their records, used handles and
assertions, sessions and links of the console, answers, finished jobs."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from runner.records.cleaning import clean_flows
from runner.store import Store
from runner.store.sealed import kept_versions
from runner.store.tables.client_keys import UsedAssertionRow
from runner.store.tables.columns import now
from runner.store.tables.console import SessionRow, SignInLinkRow
from runner.store.tables.entities import EventDeliveryRow
from runner.store.tables.records import RecordRow, RecordSubjectRow
from runner.store.tables.runs import (
    DONE,
    READY,
    RUNNING,
    ExecutionAction,
    ExecutionRow,
    IdempotencyRow,
    JobRow,
    SuspensionRow,
)

_log: Final = structlog.get_logger("actionbox.cleaner")
_TURN_SECONDS: Final = 0.02
"""How long a transaction is to last. Logins take a few milliseconds, and on SQLite those that come meanwhile
wait for its end."""
_FIRST: Final = 100
_LEAST: Final = 50
_MOST: Final = 1_000
"""Rows of one transaction: of the first one, and of any."""
_MOST_PAUSE: Final = 1.0
_DONE_KEPT: Final = timedelta(days=1)
"""Finished jobs stay for those who look at an execution; dead letters stay until they are run again or their
execution is deleted."""
_EVERY_SECONDS: Final = 300.0


_EXPIRING: Final[tuple[Any, ...]] = (
    SuspensionRow,
    IdempotencyRow,
    UsedAssertionRow,
    RecordRow,
    RecordSubjectRow,
    SessionRow,
    SignInLinkRow,
)


class Cleaner:
    """Deletes old rows. Several replicas may run one each."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Every five minutes, not all replicas at the same moment, until `stop` is set."""
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), _EVERY_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311
            except TimeoutError:
                try:
                    await asyncio.to_thread(self.clean, stop.is_set)
                except Exception:  # noqa: BLE001 - the next turn does it
                    _log.exception("old records were not deleted")

    def clean(self, stopped: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Delete all that is due; how many rows by table. Ends early once `stopped` says so."""
        moment = self._clock()
        found = {"executions": self._portions(_Executions(moment), stopped)}
        for table in _EXPIRING:
            at = table.expires_at
            found[table.__tablename__] = self._portions(_Rows(table, at, at < moment), stopped)
        done = and_(JobRow.state == DONE, JobRow.updated_at < moment - _DONE_KEPT)
        found["jobs"] = self._portions(_Rows(JobRow, JobRow.updated_at, done), stopped)
        found["kept_versions"] = self._portions(
            lambda session, most: kept_versions.clean(session, moment, most), stopped
        )
        found["record_flows"] = self._portions(partial(clean_flows, moment=moment), stopped)
        return found

    def _portions(self, delete_some: Callable[[Session, int], int], stopped: Callable[[], bool]) -> int:
        """Delete portion by portion until one is not full; how many rows.

        Each is a transaction that is to last `_TURN_SECONDS` and its wait for the disk: a login that is to be
        recorded waits for it on SQLite. Between two of them as much time passes, which others have for
        themselves.
        """
        total, most = 0, _FIRST
        while not stopped():
            with self._store.begin() as session:
                began = time.perf_counter()
                found = delete_some(session, most)
                took = time.perf_counter() - began
            total += found
            if found < most:
                break
            time.sleep(min(time.perf_counter() - began, _MOST_PAUSE))
            most = min(max(int(most * min(_TURN_SECONDS / took, 2.0)), _LEAST), _MOST)
        return total


class _Rows:
    """Deletes rows that are due, the oldest first. Goes on where it ended: what was deleted before stays in
    an index of PostgreSQL for a while, and is not to be read again each time."""

    def __init__(self, table: Any, at: Any, due: ColumnElement[bool]) -> None:
        self._table = table
        self._at = at
        self._due = due
        self._key = tuple(table.__table__.primary_key)
        self._since: datetime | None = None

    def __call__(self, session: Session, most: int) -> int:
        """Delete up to `most`; how many."""
        query = select(self._at, *self._key).where(self._due)
        if self._since is not None:
            query = query.where(self._at >= self._since)
        rows = session.execute(query.order_by(self._at).limit(most)).all()
        if rows:
            self._since = rows[-1][0]
            self._delete(session, [tuple(row[1:]) for row in rows])
        return len(rows)

    def _delete(self, session: Session, keys: Sequence[tuple[Any, ...]]) -> None:
        _delete_all(session, self._key, keys)


class _Executions(_Rows):
    """With what hangs on them; those with work still to do stay."""

    def __init__(self, moment: datetime) -> None:
        waiting = (
            select(JobRow.id)
            .where(
                JobRow.tenant_id == ExecutionRow.tenant_id,
                JobRow.execution_id == ExecutionRow.id,
                JobRow.state.in_((READY, RUNNING)),
            )
            .exists()
        )
        super().__init__(ExecutionRow, ExecutionRow.expires_at, (ExecutionRow.expires_at < moment) & ~waiting)

    def _delete(self, session: Session, keys: Sequence[tuple[Any, ...]]) -> None:
        for tenant, execution in (
            (ExecutionAction.tenant_id, ExecutionAction.execution_id),
            (JobRow.tenant_id, JobRow.execution_id),
            (EventDeliveryRow.tenant_id, EventDeliveryRow.execution_id),
        ):
            _delete_all(session, (tenant.expression, execution.expression), keys)
        super()._delete(session, keys)


def _delete_all(session: Session, columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]) -> None:
    """Delete the rows in which `columns` hold one of `keys`: one after another, each by its index. For a list
    of pairs SQLite reads the whole table."""
    names = [f"key_{number}" for number in range(len(columns))]
    same = [column == bindparam(name) for column, name in zip(columns, names, strict=True)]
    statement = columns[0].table.delete().where(*same)
    session.connection().execute(statement, [dict(zip(names, key, strict=True)) for key in keys])
