"""Suspended flows in the database: each handle works once, over all replicas.

They are sealed: a waiting flow holds what its Actions asked for, secrets among it, and the state that a
redirect brings back.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from runner.model.errors import ResumeError
from runner.store.database.engine import Store
from runner.store.sealed.sealing import KeyRing, Sealed, SealError
from runner.store.tables.columns import now
from runner.store.tables.runs import SuspensionRow
from runner.suspension.stores import handle_expired, handle_unknown, handle_used


@dataclass(frozen=True, slots=True)
class Waiting:
    """A flow that waits. `versions`: ids of those that it is pinned to; `arms`: see `SuspensionRow.arms`.
    `record`: what its execution says of its record."""

    text: str = field(repr=False)
    versions: tuple[str, ...]
    arms: list[Any] | None = None
    record: str | None = None


def pinned_versions(session: Session, tenant: str) -> set[str]:
    """Ids of the versions that the tenant's waiting flows go on with."""
    waiting = session.scalars(
        select(SuspensionRow.versions).where(
            SuspensionRow.tenant_id == tenant,
            SuspensionRow.text.is_not(None),
            SuspensionRow.expires_at > now(),
        )
    )
    return {version for versions in waiting for version in versions}


class SqlSuspensions:
    """A `runner.suspension.stores.SuspensionStore`. `take` is one conditional update, so of many callers at
    once one has it (threat-model J3)."""

    def __init__(
        self, store: Store, ring: Callable[[], KeyRing], clock: Callable[[], datetime] = now
    ) -> None:
        """`ring`: gives the keys that are in force now."""
        self._store = store
        self._ring = ring
        self._clock = clock

    def put(
        self,
        key: str,
        text: str,
        expires_at: float,
        *,
        tenant: str = "",
        execution_id: str = "",
        versions: Sequence[str] = (),
    ) -> None:
        """Keep a new flow; on disk when this returns."""
        with self._store.begin(urgent=True) as session:
            self.add(
                session, key, text, expires_at, tenant=tenant, execution_id=execution_id, versions=versions
            )

    def add(
        self,
        session: Session,
        key: str,
        text: str,
        expires_at: float,
        *,
        tenant: str,
        execution_id: str,
        versions: Sequence[str],
        record: str | None = None,
        arms: list[Any] | None = None,
    ) -> None:
        """Keep a new flow with what `session` writes.

        Args:
            expires_at: epoch seconds.
            versions: ids of those that it goes on with, in order.
            record: what its execution says of its record.
            arms: see `SuspensionRow.arms`.
        """
        session.add(
            SuspensionRow(
                key=key,
                tenant_id=tenant,
                execution_id=execution_id,
                text=_sealed(self._ring(), key, text),
                versions=list(versions),
                record=record,
                arms=arms,
                expires_at=datetime.fromtimestamp(expires_at, UTC),
            )
        )

    def peek(self, key: str) -> str:
        return self.found(key).text

    def found(self, key: str) -> Waiting:
        """The flow, left in place. Raises `ResumeError` as `take` does."""
        with self._store.read() as session:
            row = self._waiting(session, key)
        versions = tuple(row.versions)
        return Waiting(_opened(self._ring(), key, row.text), versions, row.arms, row.record)

    def take(self, key: str) -> str:
        with self._store.begin(urgent=True) as session:
            text = _opened(self._ring(), key, self._waiting(session, key).text)
            taken = session.execute(
                update(SuspensionRow)
                .where(SuspensionRow.key == key, SuspensionRow.text.is_not(None))
                .values(text=None)
            )
            if taken.rowcount != 1:  # type: ignore[attr-defined]
                raise handle_used()
            return text

    def _waiting(self, session: Session, key: str) -> SuspensionRow:
        """Raises `ResumeError`."""
        row = session.get(SuspensionRow, key)
        problem: ResumeError | None = None
        if row is None:
            problem = handle_unknown()
        elif row.text is None:
            problem = handle_used()
        elif self._clock() >= row.expires_at:
            problem = handle_expired()
        if problem is not None:
            raise problem
        assert row is not None
        return row


def reseal(session: Session, ring: KeyRing, most: int) -> int:
    """Seal up to `most` waiting flows with the ring's current key that are sealed with another, or by an
    earlier release not at all; how many."""
    rows = session.scalars(
        select(SuspensionRow)
        .where(SuspensionRow.text.not_like(f"{ring.current}:%"), SuspensionRow.expires_at > now())
        .limit(most)
        .with_for_update()
    ).all()
    for row in rows:
        row.text = _sealed(ring, row.key, _opened(ring, row.key, row.text))
    return len(rows)


def forget(session: Session, ring: KeyRing) -> None:
    """Delete the waiting flows that the ring does not open."""
    for row in session.scalars(select(SuspensionRow).where(SuspensionRow.text.is_not(None))):
        try:
            _opened(ring, row.key, row.text)
        except SealError:
            session.delete(row)


def _sealed(ring: KeyRing, key: str, text: str) -> str:
    sealed = ring.seal(text, _context(key))
    return f"{sealed.key_id}:{base64.b64encode(sealed.data).decode()}"


def _opened(ring: KeyRing, key: str, stored: str | None) -> str:
    """Raises `SealError`."""
    stored = stored or ""
    if stored.startswith("{"):  # of an earlier release, which did not seal
        return stored
    key_id, _, data = stored.partition(":")
    try:
        sealed = Sealed(key_id, base64.b64decode(data))
    except ValueError:
        raise SealError("a stored flow was altered") from None
    return ring.open(sealed, _context(key))


def _context(key: str) -> tuple[str, ...]:
    return ("suspension", key)
