"""Whether a key ring is the one that a database is sealed with, before anything is written under another.

Of each key the database has a small value that only this key opens. Two replicas with rings of their own, or
a ring that was made anew, are told apart by it even where nothing else is sealed yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from runner.store.database.engine import Store
from runner.store.sealed.sealing import KeyRing, Sealed, SealError, secret_context
from runner.store.tables.columns import Base
from runner.store.tables.models import SecretRow

_TEXT: Final = "actionbox"
_SAMPLE: Final = 16
"""Secrets that are tried of a key that has no check yet; one of them may be damaged."""


class KeyCheckRow(Base):
    """A value that only the key `key_id` opens."""

    __tablename__ = "key_checks"

    key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


def check_ring(store: Store, ring: KeyRing) -> None:
    """Nothing when `ring` opens what is stored; its keys are known to the database from now on.

    Raises:
        SealError: it is another ring, or lacks a key; the message says which.
    """
    unknown = unknown_keys(store, ring)
    if not unknown:
        return
    try:
        with store.begin() as session:
            for key_id in unknown:
                sealed = ring.seal_with(key_id, _TEXT, _context(key_id))
                session.add(KeyCheckRow(key_id=key_id, sealed=sealed))
    except IntegrityError:  # another process was quicker
        unknown_keys(store, ring)


def unknown_keys(store: Store, ring: KeyRing) -> list[str]:
    """Ids of the ring's keys that the database does not know yet; writes nothing. Raises as `check_ring`
    does."""
    with store.read() as session:
        return _check(session, ring)


def forget_checks(session: Session, key_ids: Sequence[str] | None = None) -> None:
    """Of keys that have left the ring; of all when None."""
    statement = delete(KeyCheckRow)
    session.execute(statement if key_ids is None else statement.where(KeyCheckRow.key_id.in_(key_ids)))


def _check(session: Session, ring: KeyRing) -> list[str]:
    """Ids of keys that have no check yet. Raises `SealError`."""
    checks = {row.key_id: row.sealed for row in session.scalars(select(KeyCheckRow))}
    used = sorted(session.scalars(select(SecretRow.key_id).distinct()))
    lost = [name for name in used if name not in ring.ids]
    if lost:
        raise SealError(f"values are sealed with key {lost[0]}, which is not in the key ring")
    if checks and not any(name in checks for name in ring.ids):
        raise SealError(f"the database was sealed with key {min(checks)}, which is not in the key ring")
    for name in ring.ids:
        known = checks.get(name)
        good = _opens_some(session, ring, name) if known is None else _opens(ring, name, known)
        if not good:
            raise SealError(f"key {name} of the key ring is not the key {name} that values were sealed with")
    return [name for name in ring.ids if name not in checks]


def _opens(ring: KeyRing, key_id: str, sealed: bytes) -> bool:
    try:
        return ring.open(Sealed(key_id, sealed), _context(key_id)) == _TEXT
    except SealError:
        return False


def _opens_some(session: Session, ring: KeyRing, key_id: str) -> bool:
    """Whether a key opens at least one of the secrets that name it, if there are any."""
    rows = session.scalars(select(SecretRow).where(SecretRow.key_id == key_id).limit(_SAMPLE)).all()
    return not rows or any(opens_secret(ring, row) for row in rows)


def opens_secret(ring: KeyRing, row: SecretRow) -> bool:
    """Whether the ring opens a stored secret."""
    try:
        ring.open(
            Sealed(row.key_id, row.sealed),
            secret_context(row.tenant_id, row.owner_kind, row.owner_id, row.name),
        )
    except SealError:
        return False
    return True


def _context(key_id: str) -> tuple[str, ...]:
    return ("key check", key_id)
