"""Erasing what is recorded about a user: keys of records are dropped, and with them what they open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from runner.records.absence import ERASED
from runner.records.subjects import subject_hash, tenant_key
from runner.store import KeyRing, Store, audit
from runner.store.sealed.records import drop
from runner.store.tables.records import RecordRow, RecordSubjectRow

_PORTION: Final = 200
"""Executions of one transaction: logins that are to be recorded wait for it on SQLite."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many executions had a record about the user, and of how many legs."""

    executions: int
    records: int


def erase_subject(store: Store, ring: KeyRing, tenant: str, user_id: str, actor: str) -> Erased:
    """Drop the records of a tenant that are about a user. The audit row holds the hash, not the id.

    Raises:
        SealError: the tenant's key for hashes does not open.
    """
    subject = subject_hash(tenant_key(store, ring, tenant), user_id)
    mine = (RecordSubjectRow.tenant_id == tenant, RecordSubjectRow.subject == subject)
    executions = records = 0
    while True:
        with store.begin() as session:
            ids = session.scalars(select(RecordSubjectRow.execution_id).where(*mine).limit(_PORTION)).all()
            if not ids:
                audit.note(session, tenant, actor, "record.erase", subject)
                return Erased(executions, records)
            rows = session.scalars(
                select(RecordRow.id).where(
                    RecordRow.tenant_id == tenant, RecordRow.execution_id.in_(ids), RecordRow.key.is_not(None)
                )
            ).all()
            drop(session, tenant, list(rows), ERASED)
            session.execute(delete(RecordSubjectRow).where(*mine, RecordSubjectRow.execution_id.in_(ids)))
        executions += len(ids)
        records += len(rows)
