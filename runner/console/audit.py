"""`/console/api/audit`: who did what."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import select
from typing_extensions import TypedDict

from runner.console.base import Caller, console_router
from runner.http.answer_types import Instant, closed, moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import DEFAULT_TAKE, Take
from runner.http.queries import Absent
from runner.management.base.context import answer
from runner.store.tables.models import AuditRow

router: Final = console_router("Console: audit trail")
_MOST_ID: Final = 2**53
Filter = Annotated[str | Absent, Query(min_length=1, max_length=255)]


@closed
class AuditEntry(TypedDict):
    """One thing that somebody did.

    `operation`: such as `action.deploy`; method and path of a request that no other entry is about, with the
    `status` that it was answered with. `digest`: SHA-256 of the source. `session_id`: of the console's
    session, when it was one.
    """

    id: int
    at: Instant
    actor: str
    operation: str
    object_id: str
    digest: NotRequired[str]
    reason: NotRequired[str]
    session_id: NotRequired[str]
    request_id: NotRequired[str]
    status: NotRequired[int]


@closed
class AuditEntries(TypedDict):
    """Entries, the newest first."""

    entries: list[AuditEntry]
    next: NotRequired[Annotated[int, Field(description="As `before` it asks for the entries that follow.")]]


@router.get("/audit", summary="Who did what", response_model=AuditEntries)
def list_audit(
    caller: Annotated[Caller, needs("read:audit")],
    actor: Filter = None,
    operation: Filter = None,
    object_id: Filter = None,
    before: Annotated[
        int | Absent, Query(ge=0, le=_MOST_ID, description="`next` of the page before.")
    ] = None,
    take: Take = DEFAULT_TAKE,
) -> Response:
    """The audit trail of the tenant. Rows are only ever added."""
    query = select(AuditRow).where(AuditRow.tenant_id == caller.tenant)
    for column, value in (
        (AuditRow.actor, actor),
        (AuditRow.operation, operation),
        (AuditRow.object_id, object_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(AuditRow.id < before)
    with caller.service.store.read() as session:
        rows = session.scalars(query.order_by(AuditRow.id.desc()).limit(take + 1)).all()
    found: dict[str, Any] = {"entries": [_entry(row) for row in rows[:take]]}
    return answer(found if len(rows) <= take else {**found, "next": rows[take - 1].id})


def _entry(row: AuditRow) -> dict[str, Any]:
    optional = ("digest", "reason", "session_id", "request_id", "status")
    return {
        "id": row.id,
        "at": moment(row.at),
        "actor": row.actor,
        "operation": row.operation,
        "object_id": row.object_id,
        **{name: value for name in optional if (value := getattr(row, name)) is not None},
    }
