"""Kept answers of idempotent requests, sealed because they may hold the handle of a suspended flow."""

from __future__ import annotations

import base64

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.store.sealed.sealing import KeyRing, Sealed, SealError
from runner.store.tables.columns import now
from runner.store.tables.runs import IdempotencyRow


def reseal(session: Session, ring: KeyRing, most: int) -> int:
    """Seal up to `most` answers with the ring's current key that are sealed with another; how many."""
    rows = session.scalars(
        select(IdempotencyRow)
        .where(IdempotencyRow.answer.not_like(f"{ring.current}:%"), IdempotencyRow.expires_at > now())
        .where(IdempotencyRow.status != 0)
        .limit(most)
        .with_for_update()
    ).all()
    for row in rows:
        seal_answer(ring, row, open_answer(ring, row))
    return len(rows)


def forget(session: Session, ring: KeyRing) -> None:
    """Delete the answers that the ring does not open."""
    for row in session.scalars(select(IdempotencyRow).where(IdempotencyRow.answer.is_not(None))):
        try:
            open_answer(ring, row)
        except SealError:
            session.delete(row)


def seal_answer(ring: KeyRing, row: IdempotencyRow, text: str) -> None:
    """Put the answer into its row."""
    sealed = ring.seal(text, _context(row))
    row.answer = f"{sealed.key_id}:{base64.b64encode(sealed.data).decode()}"


def open_answer(ring: KeyRing, row: IdempotencyRow) -> str:
    """The answer of a row. Raises `SealError`."""
    key_id, _, data = (row.answer or "").partition(":")
    try:
        sealed = base64.b64decode(data)
    except ValueError:
        raise SealError("a kept answer was altered") from None
    return ring.open(Sealed(key_id, sealed), _context(row))


def _context(row: IdempotencyRow) -> tuple[str, ...]:
    return ("idempotency", row.tenant_id, row.key)
