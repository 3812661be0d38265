"""Whether the database can serve: it answers, and it keeps what is written."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, text
from sqlalchemy.exc import SQLAlchemyError

from runner.store.database.engine import Store
from runner.store.tables.columns import now
from runner.store.tables.runs import IdempotencyRow

_NOBODY: Final = "-"
"""No tenant has this id."""
_PROBE_BYTES: Final = 256 * 1024
"""More than a log of changes keeps in reserve, so that a full disk is noticed."""
NO_ANSWER: Final = "no answer"
NO_WRITES: Final = "takes no writes"


def trouble(store: Store) -> str:
    """The problem with the database, empty when there is none. Writes only when the last transaction
    failed for want of the database; otherwise a look is as cheap as can be."""
    try:
        with store.read() as session:
            if store.is_sqlite:
                session.execute(text("select 1"))
            elif session.scalar(text("show transaction_read_only")) == "on":
                return NO_WRITES
    except SQLAlchemyError:
        return NO_ANSWER
    return "" if not store.failing or _keeps(store) else NO_WRITES


def _keeps(store: Store) -> bool:
    """Write something, and take it away again."""
    key = secrets.token_hex(32)
    row = IdempotencyRow(
        tenant_id=_NOBODY,
        key=key,
        digest="",
        answer="-" * _PROBE_BYTES,
        expires_at=now() + timedelta(minutes=1),
    )
    try:
        with store.begin() as session:
            session.add(row)
        with store.begin() as session:
            session.execute(
                delete(IdempotencyRow).where(IdempotencyRow.tenant_id == _NOBODY, IdempotencyRow.key == key)
            )
    except SQLAlchemyError:
        return False
    return True
