"""Deleting what has been kept long enough: records of executions, used handles and
assertions, answers, finished jobs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import delete, select, tuple_

from runner.store import Store
from runner.store.sealed import kept_versions
from runner.store.tables.client_keys import UsedAssertionRow
from runner.store.tables.columns import now
from runner.store.tables.entities import EventDeliveryRow
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
_BATCH: Final = 500
"""Rows of one transaction: others get their turn in between."""
_DONE_KEPT: Final = timedelta(days=1)
"""Finished jobs stay for those who look at an execution; dead letters stay until they are run again or their
execution is deleted."""
_EVERY_SECONDS: Final = 300.0


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
                    await asyncio.to_thread(self.clean)
                except Exception:  # noqa: BLE001 - the next turn does it
                    _log.exception("old records were not deleted")

    def clean(self) -> dict[str, int]:
        """Delete all that is due; how many rows by table."""
        moment = self._clock()
        return {
            "executions": self._executions(moment),
            "suspensions": self._delete(
                SuspensionRow, select(SuspensionRow.key).where(SuspensionRow.expires_at < moment)
            ),
            "idempotency_keys": self._delete(
                IdempotencyRow,
                select(IdempotencyRow.tenant_id, IdempotencyRow.key).where(
                    IdempotencyRow.expires_at < moment
                ),
            ),
            "used_assertions": self._delete(
                UsedAssertionRow,
                select(UsedAssertionRow.tenant_id, UsedAssertionRow.client_id, UsedAssertionRow.digest).where(
                    UsedAssertionRow.expires_at < moment
                ),
            ),
            "jobs": self._delete(
                JobRow,
                select(JobRow.tenant_id, JobRow.id).where(
                    JobRow.state == DONE, JobRow.updated_at < moment - _DONE_KEPT
                ),
            ),
            "kept_versions": self._kept_versions(moment),
        }

    def _kept_versions(self, moment: datetime) -> int:
        total, due = 0, _BATCH
        while due == _BATCH:
            with self._store.begin() as session:
                due = kept_versions.clean(session, moment, _BATCH)
            total += due
        return total

    def _executions(self, moment: datetime) -> int:
        """With what hangs on them; those with work still to do stay."""
        waiting = (
            select(JobRow.id)
            .where(
                JobRow.tenant_id == ExecutionRow.tenant_id,
                JobRow.execution_id == ExecutionRow.id,
                JobRow.state.in_((READY, RUNNING)),
            )
            .exists()
        )
        due = select(ExecutionRow.tenant_id, ExecutionRow.id).where(
            ExecutionRow.expires_at < moment, ~waiting
        )
        total = 0
        while True:
            with self._store.begin() as session:
                keys = [tuple(row) for row in session.execute(due.limit(_BATCH))]
                if not keys:
                    return total
                for tenant, execution in (
                    (ExecutionAction.tenant_id, ExecutionAction.execution_id),
                    (JobRow.tenant_id, JobRow.execution_id),
                    (EventDeliveryRow.tenant_id, EventDeliveryRow.execution_id),
                    (ExecutionRow.tenant_id, ExecutionRow.id),
                ):
                    session.execute(delete(tenant.class_).where(tuple_(tenant, execution).in_(keys)))
            total += len(keys)

    def _delete(self, table: Any, due: Any) -> int:
        names = [column.name for column in table.__table__.primary_key]
        columns = tuple_(*(getattr(table, name) for name in names))
        total = 0
        while True:
            with self._store.begin() as session:
                keys = [tuple(row) for row in session.execute(due.limit(_BATCH))]
                if not keys:
                    return total
                session.execute(delete(table).where(columns.in_(keys)))
            total += len(keys)
