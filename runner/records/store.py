"""Reading records, for other parts of the service: in plain form, one tenant's only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.model.caps import MAX_RECORD_FILE_BYTES
from runner.records.compression import DamagedError, Words, expand
from runner.records.policy import PolicyError, RecordPolicy
from runner.records.states import WAITS
from runner.records.writing import CONTEXT
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord, LegContext, stamped
from runner.store import KeyRing, SealError, Store
from runner.store.sealed.records import open_record
from runner.store.tables.records import RecordFlowRow, RecordRow, RecordWordsRow

_log: Final = structlog.get_logger("actionbox.records")
_CHUNK: Final = 50
"""Executions of which `recent` reads the ids at a time."""
_MOST_FLOW_BYTES: Final = MAX_RECORD_FILE_BYTES


class DamagedRecordError(Exception):
    """A stored record does not open, or is not what its row says; the message holds none of it."""


class RecordStore:
    """The records of all tenants. Safe between threads; its calls block. `ring`: gives the keys in force."""

    def __init__(self, store: Store, ring: Callable[[], KeyRing]) -> None:
        self._store = store
        self._ring = ring

    def get(self, tenant: str, execution_id: str) -> ExecutionRecord | None:
        """The record of an execution, in plain form; None when none is kept.

        Raises:
            DamagedRecordError: see there.
            SealError: the key ring lacks its key.
        """
        with self._store.read() as session:
            return self.read(session, tenant, execution_id)

    def recent(
        self,
        tenant: str,
        trigger: str,
        most: int,
        *,
        decision: str | None = None,
        since: datetime | None = None,
    ) -> Iterator[ExecutionRecord]:
        """The records of up to `most` executions of a trigger, the newest first, in plain form: for use
        inside the service. One at a time is read; those that cannot be read are passed over and logged.

        Args:
            decision: of the execution's first leg.
            since: that were recorded then or later.
        """
        given = 0
        for execution_id in self._ids(tenant, trigger, decision, since):
            try:
                found = self.get(tenant, execution_id)
            except (DamagedRecordError, SealError) as error:
                _log.error(
                    "a record cannot be read", tenant=tenant, execution=execution_id, reason=str(error)
                )
                continue
            if found is not None:
                yield found
                given += 1
            if given >= most:
                return

    def _ids(self, tenant: str, trigger: str, decision: str | None, since: datetime | None) -> Iterator[str]:
        query = select(RecordRow.execution_id, RecordRow.created_at).where(
            RecordRow.tenant_id == tenant,
            RecordRow.trigger_id == trigger,
            RecordRow.leg == 1,
            RecordRow.reason != WAITS,
            RecordRow.gone.is_(None),
        )
        if decision is not None:
            query = query.where(RecordRow.decision == decision)
        if since is not None:
            query = query.where(RecordRow.created_at >= since)
        query = query.order_by(RecordRow.created_at.desc())
        seen: set[str] = set()  # attempts of a job have one id
        before: datetime | None = None
        while True:
            part = query if before is None else query.where(RecordRow.created_at <= before)
            with self._store.read() as session:
                rows = session.execute(part.limit(_CHUNK + len(seen))).all()
            fresh = [row for row in rows if row[0] not in seen]
            if not fresh:
                return
            for execution_id, at in fresh:
                if execution_id not in seen:
                    seen.add(execution_id)
                    yield execution_id
                before = at

    def read(self, session: Session, tenant: str, execution_id: str) -> ExecutionRecord | None:
        """As `get`, in a transaction."""
        rows = rows_of(session, tenant, execution_id)
        rows = [row for row in rows if row.gone is None and row.reason != WAITS]
        if not rows:
            return None
        legs = [self._leg(session, row) for row in rows]
        first, last = rows[0], rows[-1]
        try:
            return ExecutionRecord(
                execution_id=execution_id,
                tenant=tenant,
                trigger=first.trigger_id,
                form="plain",
                kept_because=last.reason,
                policy=RecordPolicy.parse(last.policy).to_dict(),
                created_at=first.created_at,
                expires_at=max(row.expires_at for row in rows),
                legs=tuple(legs),
            )
        except (ValidationError, PolicyError):
            raise DamagedRecordError("its row is of no record") from None

    def _leg(self, session: Session, row: RecordRow) -> FlowRecord:
        """Raises `DamagedRecordError`, `SealError`."""
        words = None if row.words is None else session.get(RecordWordsRow, row.words)
        flow = session.get(RecordFlowRow, (row.tenant_id, row.flow))
        if flow is None or (row.words is not None and words is None):
            raise DamagedRecordError("what it refers to is gone")
        try:
            text = expand(
                open_record(self._ring(), row),
                MAX_RECORD_FILE_BYTES,
                None if words is None else Words.of(words.content),
            )
            data: dict[str, Any] = json.loads(text)
            data["actions"] = json.loads(expand(flow.content, _MOST_FLOW_BYTES))
            context = LegContext.model_validate(data.pop(CONTEXT, {}))
            record = FlowRecord.model_validate({**data, "context": context, "digest": ""})
        except (DamagedError, ValueError, RecursionError, TypeError):
            raise DamagedRecordError("it is not whole") from None
        about = (record.tenant, record.execution_id, record.trigger, record.number)
        if about != (row.tenant_id, row.execution_id, row.trigger_id, row.leg):
            raise DamagedRecordError("it is of another execution")
        return stamped(record)


def rows_of(session: Session, tenant: str, execution_id: str) -> Sequence[RecordRow]:
    """All that is stored of an execution, in order, what is gone and what waits as well."""
    return session.scalars(
        select(RecordRow)
        .where(RecordRow.tenant_id == tenant, RecordRow.execution_id == execution_id)
        .order_by(RecordRow.created_at, RecordRow.leg)
    ).all()
