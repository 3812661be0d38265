"""A new key for the ring, and every sealed value under it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.admin.setup import open_store
from runner.config.keys import checked
from runner.config.settings import ServiceSettings
from runner.model.errors import InputError
from runner.store.database.engine import Store
from runner.store.sealed import answers, records, suspensions
from runner.store.sealed.key_checks import check_ring, forget_checks, opens_secret
from runner.store.sealed.sealing import KeyRing, Sealed, SealError, locked, secret_context
from runner.store.tables.models import SecretRow
from runner.store.tables.records import RecordRow

_BATCH: Final = 200
"""Rows resealed in one transaction, so that logins are not held up."""
_SETTLE_SECONDS: Final = 2.0
"""In which transactions that sealed with the key before, and are not committed, end."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """`resealed`: how many secrets; `ring`: ids of its keys, the sealing one first."""

    resealed: int
    key_id: str
    ring: tuple[str, ...]


def create(settings: ServiceSettings) -> Path:
    """A new key ring where the settings say. Raises `InputError`."""
    try:
        KeyRing.create(settings.key_path)
    except SealError as error:
        raise InputError("invalid_key_ring", str(error)) from None
    return settings.key_path


def rotate(settings: ServiceSettings, *, prune: bool = False) -> Rotation:
    """Add a key, then seal everything with it. The file has the new key before any row needs it, so a crash
    on the way loses nothing; a second call goes on.

    Args:
        prune: drop keys that nothing is sealed with any more.

    Raises:
        InputError: the ring is not in a file, or cannot be read or written; a value does not open.
    """
    if settings.keys is not None:
        raise InputError(
            "invalid_key_ring", "the key ring comes from ACTIONBOX_KEYS; rotate it where that is set"
        )
    try:
        # Of two at once each would make the same key's name for another key, and what one sealed were lost.
        with locked(settings.key_path), closing(open_store(settings)) as store:
            ring = checked(store, KeyRing.load(settings.key_path)).rotated()
            ring.save(settings.key_path)
            check_ring(store, ring)
            count = reseal(store, ring)
            if prune:
                if not store.is_sqlite:  # where writers do not wait for each other
                    time.sleep(_SETTLE_SECONDS)
                    count += reseal(store, ring)
                used = _used_keys(store)
                unused = [name for name in ring.ids if name not in used and name != ring.current]
                ring = ring.without(unused)
                ring.save(settings.key_path)
                with store.begin() as session:
                    forget_checks(session, unused)
    except SealError as error:
        raise InputError("invalid_key_ring", str(error)) from None
    return Rotation(count, ring.current, tuple(ring.ids))


def reseal(store: Store, ring: KeyRing) -> int:
    """Seal with the ring's current key what is sealed with another; how many secrets that were. Kept answers
    of idempotent requests, suspended flows and keys of records are sealed anew as well, but not counted."""
    total = 0
    for batch, counts in (
        (_secrets, True),
        (answers.reseal, False),
        (suspensions.reseal, False),
        (records.reseal, False),
    ):
        done = _BATCH
        while done == _BATCH:
            with store.begin() as session:
                done = batch(session, ring, _BATCH)
            total += done if counts else 0
    return total


def forget(settings: ServiceSettings) -> int:
    """Delete every sealed value that the ring does not open, for an operator who has lost the one that does;
    how many secrets that were.

    Raises:
        InputError: the ring cannot be read.
    """
    given = settings.keys
    try:
        ring = (
            KeyRing.load(settings.key_path) if given is None else KeyRing.from_text(given.get_secret_value())
        )
    except SealError as error:
        raise InputError("invalid_key_ring", str(error)) from None
    with closing(open_store(settings)) as store:
        with store.begin() as session:
            lost = [row for row in session.scalars(select(SecretRow)) if not opens_secret(ring, row)]
            for row in lost:
                session.delete(row)
            answers.forget(session, ring)
            suspensions.forget(session, ring)
            records.forget(session, ring)
            forget_checks(session)
            count = len(lost)
        checked(store, ring)
    return count


def _used_keys(store: Store) -> set[str]:
    with store.read() as session:
        used = set(session.scalars(select(SecretRow.key_id).distinct()))
        sealing = session.scalars(select(RecordRow.key_id).distinct())
        return used | {key_id for key_id in sealing if key_id is not None}


def _secrets(session: Session, ring: KeyRing, most: int) -> int:
    rows = session.scalars(
        select(SecretRow).where(SecretRow.key_id != ring.current).limit(most).with_for_update()
    ).all()
    for row in rows:
        context = secret_context(row.tenant_id, row.owner_kind, row.owner_id, row.name)
        sealed = ring.seal(ring.open(Sealed(row.key_id, row.sealed), context), context)
        row.key_id, row.sealed = sealed.key_id, sealed.data
    return len(rows)
