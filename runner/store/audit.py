"""Audit trail: one row for each write, in the transaction of the write (threat-model P9)."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from runner.store.tables.models import AuditRow


def note(
    session: Session,
    tenant: str,
    actor: str,
    operation: str,
    object_id: str,
    code: str | None = None,
    *,
    reason: str | None = None,
) -> None:
    """Add a row. `operation`: such as `action.deploy`; `code`: the source it is about, kept as a digest.
    `reason`: that the actor gave."""
    digest = None if code is None else hashlib.sha256(code.encode()).hexdigest()
    session.add(
        AuditRow(
            tenant_id=tenant,
            actor=actor,
            operation=operation,
            object_id=object_id,
            digest=digest,
            reason=reason,
        )
    )
