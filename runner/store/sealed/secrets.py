"""Sealed values of Actions, modules and their versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from runner.store.sealed.sealing import KeyRing, Sealed, secret_context
from runner.store.tables.columns import now
from runner.store.tables.models import SecretRow


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret as it may be shown."""

    name: str
    updated_at: datetime


class SecretBox:
    """The secrets of one tenant, in one transaction."""

    def __init__(self, session: Session, ring: KeyRing, tenant: str) -> None:
        self._session = session
        self._ring = ring
        self._tenant = tenant

    def names(self, kind: str, owners: Iterable[str]) -> Mapping[str, list[SecretName]]:
        """Names by owner, in order of name; owners without secrets give an empty list."""
        rows = self._session.execute(
            select(SecretRow.owner_id, SecretRow.name, SecretRow.updated_at)
            .where(*self._of(kind, owners))
            .order_by(SecretRow.name)
        )
        found: defaultdict[str, list[SecretName]] = defaultdict(list)
        for owner, name, updated_at in rows:
            found[owner].append(SecretName(name, updated_at))
        return found

    def values(self, kind: str, owner: str) -> dict[str, str]:
        """The values in clear. Raises `SealError`: they do not open."""
        return {row.name: self._open(row) for row in self._rows(kind, owner)}

    def replace(self, kind: str, owner: str, wanted: Mapping[str, str | None]) -> list[str]:
        """Make `wanted` the complete set; None keeps the value that is there. Returns the names that have no
        value to keep; nothing was changed then."""
        present = {row.name: row for row in self._rows(kind, owner)}
        missing = [name for name, value in wanted.items() if value is None and name not in present]
        if missing:
            return missing
        for name, row in present.items():
            if name not in wanted:
                self._session.delete(row)
        for name, value in wanted.items():
            if value is not None:
                self._put(kind, owner, name, value, present.get(name))
        self._session.flush()
        return []

    def copy(self, kind: str, owner: str, to_kind: str, to_owner: str) -> None:
        """Give `to_owner` exactly the secrets of `owner`, sealed anew for it."""
        rows = self._rows(kind, owner)
        self.replace(to_kind, to_owner, {row.name: self._open(row) for row in rows})
        times = {row.name: row.updated_at for row in rows}
        for row in self._rows(to_kind, to_owner):
            row.updated_at = times[row.name]

    def same(self, kind: str, owner: str, other_kind: str, other: str) -> bool:
        """Both have the same names with the same values."""
        return self.values(kind, owner) == self.values(other_kind, other)

    def holds(self, kind: str, owner: str, wanted: Mapping[str, str | None]) -> bool:
        """Whether `replace` would change nothing."""
        there = self.values(kind, owner)
        return there.keys() == wanted.keys() and all(
            value is None or there[name] == value for name, value in wanted.items()
        )

    def remove(self, kind: str, owners: Iterable[str]) -> None:
        self._session.execute(delete(SecretRow).where(*self._of(kind, owners)))

    def _rows(self, kind: str, owner: str) -> Sequence[SecretRow]:
        query = select(SecretRow).where(*self._of(kind, [owner]))
        return self._session.scalars(query.order_by(SecretRow.name)).all()

    def _of(self, kind: str, owners: Iterable[str]) -> Sequence[ColumnElement[bool]]:
        mine = (SecretRow.tenant_id == self._tenant, SecretRow.owner_kind == kind)
        return (*mine, SecretRow.owner_id.in_(list(owners)))

    def _open(self, row: SecretRow) -> str:
        context = secret_context(self._tenant, row.owner_kind, row.owner_id, row.name)
        return self._ring.open(Sealed(row.key_id, row.sealed), context)

    def _put(self, kind: str, owner: str, name: str, value: str, row: SecretRow | None) -> None:
        sealed = self._ring.seal(value, secret_context(self._tenant, kind, owner, name))
        if row is None:
            row = SecretRow(tenant_id=self._tenant, owner_kind=kind, owner_id=owner, name=name)
            self._session.add(row)
        row.key_id, row.sealed, row.updated_at = sealed.key_id, sealed.data, now()
