"""Audit trail: one row for each write, in the transaction of the write (threat-model P9), and one for each
other request of a session that may have changed something."""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH
from runner.store.tables.models import AuditRow


@dataclass(slots=True)
class Act:
    """The request that rows are written for. `session_id`: of the console, "" for a token's; `noted`: whether
    a row was written."""

    request_id: str
    session_id: str
    noted: bool = False


_act: Final[ContextVar[Act | None]] = ContextVar("act", default=None)


def begin(request_id: str, session_id: str) -> Act:
    """From now on, rows that this task and its threads write are of this request."""
    act = Act(request_id, session_id)
    _act.set(act)
    return act


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
    act = _act.get()
    digest = None if code is None else hashlib.sha256(code.encode()).hexdigest()
    session.add(
        AuditRow(
            tenant_id=tenant,
            actor=actor,
            operation=operation,
            object_id=object_id,
            digest=digest,
            reason=reason,
            **_of(act),
        )
    )
    if act is not None:
        act.noted = True


def note_request(
    session: Session, tenant: str, actor: str, operation: str, named: str, act: Act, status: int
) -> None:
    """Add a row about a request itself. `operation`: method and path; `named`: what its path names."""
    object_id = "".join(char if char.isprintable() else "?" for char in named)[:NAME_LENGTH]
    session.add(
        AuditRow(
            tenant_id=tenant,
            actor=actor,
            operation=operation[:NAME_LENGTH],
            object_id=object_id,
            status=status,
            **_of(act),
        )
    )


def _of(act: Act | None) -> dict[str, str | None]:
    if act is None:
        return {}
    return {"request_id": act.request_id[:ID_LENGTH] or None, "session_id": act.session_id or None}
