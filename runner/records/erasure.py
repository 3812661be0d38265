"""Erasing what is on record about a user: keys of records are dropped, and with them what they open; and of
their executions what Actions decided, printed and failed with."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Text, cast, delete, or_, select, update
from sqlalchemy.orm import Session

from runner.records.absence import ERASED
from runner.records.subjects import subject_hash, tenant_key
from runner.store import KeyRing, Store, audit
from runner.store.sealed.records import drop
from runner.store.tables.records import RecordRow, RecordSubjectRow
from runner.store.tables.runs import ExecutionRow, SuspensionRow

_PORTION: Final = 200
"""Executions of one transaction: logins that are to be recorded wait for it on SQLite."""
_SHORTEST: Final = 6
"""Characters of an id that is looked for in outcomes: a shorter one is in those of others as well."""
_GONE: Final = "[erased]"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many executions were about the user, or named them; and how many legs had a record."""

    executions: int
    records: int


def erase_subject(store: Store, ring: KeyRing, tenant: str, user_id: str, actor: str) -> Erased:
    """Drop the records of a tenant that are about a user, and empty the executions that are, or that name the
    user's id. The audit row holds the hash, not the id.

    Raises:
        SealError: the tenant's key for hashes does not open.
    """
    subject = subject_hash(tenant_key(store, ring, tenant), user_id)
    executions, records = _erase_recorded(store, tenant, subject)
    executions += _erase_named(store, tenant, user_id)
    with store.begin() as session:
        audit.note(session, tenant, actor, "record.erase", subject)
    return Erased(executions, records)


def _erase_recorded(store: Store, tenant: str, subject: str) -> tuple[int, int]:
    mine = (RecordSubjectRow.tenant_id == tenant, RecordSubjectRow.subject == subject)
    executions = records = 0
    while True:
        with store.begin() as session:
            ids = session.scalars(select(RecordSubjectRow.execution_id).where(*mine).limit(_PORTION)).all()
            if not ids:
                return executions, records
            rows = session.scalars(
                select(RecordRow.id).where(
                    RecordRow.tenant_id == tenant, RecordRow.execution_id.in_(ids), RecordRow.key.is_not(None)
                )
            ).all()
            drop(session, tenant, list(rows), ERASED)
            session.execute(delete(RecordSubjectRow).where(*mine, RecordSubjectRow.execution_id.in_(ids)))
            _empty(session, tenant, ids)
        executions += len(ids)
        records += len(rows)


def _erase_named(store: Store, tenant: str, user_id: str) -> int:
    """Executions without a record say nowhere whom they are about: their texts are looked through."""
    if len(user_id) < _SHORTEST:
        return 0
    forms = _forms(user_id)
    exact = re.compile(rf"(?<![\w|@.-])(?:{'|'.join(map(re.escape, forms))})(?![\w|@.-])")
    results = cast(ExecutionRow.results, Text)
    likely = [
        text.contains(form, autoescape=True) for form in forms for text in (ExecutionRow.outcome, results)
    ]
    query = select(ExecutionRow.id, ExecutionRow.outcome, results).where(
        ExecutionRow.tenant_id == tenant, or_(*likely)
    )
    found, after = 0, ""
    while True:
        with store.read() as session:
            part = query.where(ExecutionRow.id > after).order_by(ExecutionRow.id).limit(_PORTION)
            rows = session.execute(part).all()
        if not rows:
            return found
        ids = [row[0] for row in rows if any(exact.search(text or "") for text in row[1:])]
        with store.begin() as session:
            _empty(session, tenant, ids)
        found, after = found + len(ids), rows[-1][0]


def _forms(user_id: str) -> list[str]:
    """As it stands in JSON, with its characters or with their escapes."""
    written = [json.dumps(user_id, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return list(dict.fromkeys(text for text in written if text.isprintable()))


def _empty(session: Session, tenant: str, ids: Sequence[str]) -> None:
    """Leave of executions that they were: when, which versions ran, how they ended, and what that took. Flows
    that wait for their user wait no more."""
    rows = session.scalars(
        select(ExecutionRow).where(ExecutionRow.tenant_id == tenant, ExecutionRow.id.in_(ids))
    )
    for row in rows:
        row.outcome, row.results = None, [_bare(result) for result in row.results]
    session.execute(
        update(SuspensionRow)
        .where(SuspensionRow.tenant_id == tenant, SuspensionRow.execution_id.in_(ids))
        .values(text=None)
    )


def _bare(result: dict[str, Any]) -> dict[str, Any]:
    bare: dict[str, Any] = {**result, "logs": []}
    if "error" in bare:
        bare["error"] = {"id": bare["error"].get("id"), "msg": _GONE}
    if "failure" in bare:
        bare["failure"] = {"name": bare["failure"].get("name"), "message": _GONE, "stack": []}
    return bare
