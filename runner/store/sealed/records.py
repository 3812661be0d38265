"""Records of executions, each sealed under a key of its own, which the key ring seals. Who drops a row's key
has erased what the row held, and a rotation seals keys anew instead of records."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from runner.store.sealed.sealing import KeyRing, Sealed, SealError, associated
from runner.store.tables.records import RecordRow

_KEY_BITS: Final = 256
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """Columns of a row: `key` is its own key, sealed with the key `key_id` of the ring."""

    key_id: str
    key: bytes = field(repr=False)
    content: bytes = field(repr=False)


def seal_record(ring: KeyRing, names: tuple[str, str, str], content: bytes) -> SealedRecord:
    """Seal `content` for a row. `names`: its tenant's id, its execution's and its own."""
    key, nonce, context = AESGCM.generate_key(_KEY_BITS), os.urandom(_NONCE_BYTES), ("record", *names)
    sealed = nonce + AESGCM(key).encrypt(nonce, content, associated(context))
    wrapped = ring.seal(base64.b64encode(key).decode(), context)
    return SealedRecord(wrapped.key_id, wrapped.data, sealed)


def open_record(ring: KeyRing, row: RecordRow) -> bytes:
    """The content of a row that has one. Raises `SealError`."""
    key = AESGCM(base64.b64decode(_unwrap(ring, row)))
    nonce, body = (row.content or b"")[:_NONCE_BYTES], (row.content or b"")[_NONCE_BYTES:]
    try:
        return key.decrypt(nonce, body, associated(_context(row)))
    except (InvalidTag, ValueError):
        raise SealError("a record was altered, or is another one's") from None


def drop(session: Session, tenant: str, ids: list[str], gone: str) -> None:
    """Drop keys and contents of rows; the rows stay and say why."""
    session.execute(
        update(RecordRow)
        .where(RecordRow.tenant_id == tenant, RecordRow.id.in_(ids))
        .values(key_id=None, key=None, content=None, bytes=0, gone=gone, fidelity=None)
    )


def reseal(session: Session, ring: KeyRing, most: int) -> int:
    """Seal the keys of up to `most` records with the ring's current key that are sealed with another; how
    many."""
    rows = session.scalars(
        select(RecordRow).where(RecordRow.key_id != ring.current).limit(most).with_for_update()
    ).all()
    for row in rows:
        sealed = ring.seal(_unwrap(ring, row), _context(row))
        row.key_id, row.key = sealed.key_id, sealed.data
    return len(rows)


def forget(session: Session, ring: KeyRing) -> None:
    """Delete the records that the ring does not open: of each key one is tried, and all go with it."""
    used = select(RecordRow.key_id).where(RecordRow.key_id.is_not(None)).distinct()
    for key_id in session.scalars(used).all():
        row = session.scalars(select(RecordRow).where(RecordRow.key_id == key_id).limit(1)).one()
        try:
            _unwrap(ring, row)
        except SealError:
            session.execute(delete(RecordRow).where(RecordRow.key_id == key_id))


def _unwrap(ring: KeyRing, row: RecordRow) -> str:
    if row.key_id is None or row.key is None:
        raise SealError("the key of a record was dropped")
    return ring.open(Sealed(row.key_id, row.key), _context(row))


def _context(row: RecordRow) -> tuple[str, ...]:
    return ("record", row.tenant_id, row.execution_id, row.id)
