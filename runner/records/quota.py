"""The bytes of records that a tenant may have. Its oldest records go for the newest: who looks into a fault
wants those of today."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from runner.store.sealed.records import drop
from runner.store.tables.records import RecordRow

_LOOK_SECONDS: Final = 60.0
"""How long the sum of a tenant's bytes is taken for true, with what this process adds: others add as well."""
_LEFT: Final = 0.95
"""Of the quota that is filled after records have gone: not each new one is to cost a look for an old one."""
_PORTION: Final = 200


class Quotas:
    """Sums by tenant, for one thread."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._sums: dict[str, tuple[float, int]] = {}

    def enforce(self, session: Session, grown: Mapping[str, int]) -> int:
        """Drop the oldest records of tenants that have more than they may, now that so many bytes were added;
        how many legs."""
        removed = 0
        now = time.monotonic()
        for tenant, added in grown.items():
            looked, known = self._sums.get(tenant, (float("-inf"), 0))
            if now - looked > _LOOK_SECONDS or known + added > self._most:
                known, looked, added = used_bytes(session, tenant), now, 0
            known += added
            if known > self._most:
                gone, freed = self._drop_oldest(session, tenant, known - int(self._most * _LEFT))
                removed, known = removed + gone, known - freed
            self._sums[tenant] = (looked, known)
        return removed

    def _drop_oldest(self, session: Session, tenant: str, wanted: int) -> tuple[int, int]:
        count = freed = 0
        while freed < wanted:
            rows = session.execute(
                select(RecordRow.id, RecordRow.bytes)
                .where(RecordRow.tenant_id == tenant, RecordRow.gone.is_(None))
                .order_by(RecordRow.created_at)
                .limit(_PORTION)
            ).all()
            ids: list[str] = []
            for row_id, size in rows:
                if freed >= wanted:
                    break
                ids.append(row_id)
                freed += size
            if not ids:
                break
            drop(session, tenant, ids, "quota")
            count += len(ids)
        return count, freed


def used_bytes(session: Session, tenant: str) -> int:
    """Bytes of a tenant's records."""
    total = session.scalar(select(func.sum(RecordRow.bytes)).where(RecordRow.tenant_id == tenant))
    return int(total or 0)
