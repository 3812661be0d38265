"""Looking at executions and at work that failed, one tenant's only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, exists, select, tuple_
from sqlalchemy.orm import Session, defer

from runner.http.answer_types import moment
from runner.http.cursor_pagination import Cursor
from runner.model.caps import MAX_LIST_BYTES
from runner.runtime.schemas import execution
from runner.store.database.by_size import portions
from runner.store.tables.runs import ExecutionAction, ExecutionRow, JobRow


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a list; None does not narrow. `since` is included, `until` is not."""

    trigger: str | None = None
    action: str | None = None
    status: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a list. `following`: where the rest of it begins; None when this is the end."""

    items: list[dict[str, Any]]
    following: Cursor | None


def list_executions(
    session: Session, tenant: str, filters: Filters, page: int, per_page: int, after: Cursor | None = None
) -> Part:
    """Executions, the newest first; none past the end.

    A part ends with `per_page` executions, or before the one with which their results would take more than
    `MAX_LIST_BYTES`, but holds one at least.

    Args:
        after: where to go on, and then `page` means nothing.
    """
    query = _filtered(tenant, filters).with_only_columns(ExecutionRow.id, ExecutionRow.created_at)
    if after is None:
        query = query.offset(page * per_page)
    else:
        query = query.where(tuple_(ExecutionRow.created_at, ExecutionRow.id) < tuple_(after.at, after.id))
    query = query.order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
    places = [Cursor(at, key) for key, at in session.execute(query.limit(per_page + 1))]
    shown = next(_portions(session, tenant, [place.id for place in places[:per_page]]), [])
    rows = {row.id: row for row in _light(session, tenant, shown)}
    items = [execution(rows[key]) for key in shown if key in rows]
    return Part(items, places[len(shown) - 1] if len(shown) < len(places) else None)


def _portions(session: Session, tenant: str, ids: Sequence[str]) -> Iterator[list[str]]:
    """`ids`, as many at a time as a list may show."""
    mine = ExecutionRow.tenant_id == tenant
    return portions(session, ExecutionRow.id, mine, ids, [ExecutionRow.results], MAX_LIST_BYTES)


def _light(session: Session, tenant: str, ids: Sequence[str]) -> Sequence[ExecutionRow]:
    """Executions without their outcomes, which no list shows."""
    query = select(ExecutionRow).where(ExecutionRow.tenant_id == tenant, ExecutionRow.id.in_(ids))
    return session.scalars(query.options(defer(ExecutionRow.outcome, raiseload=True))).all()


def get_execution(session: Session, tenant: str, execution_id: str) -> dict[str, Any] | None:
    """One execution with its outcome and its jobs, None when the tenant has none with this id."""
    row = session.get(ExecutionRow, (tenant, execution_id))
    if row is None:
        return None
    mine = _jobs().where(JobRow.tenant_id == tenant, JobRow.execution_id == execution_id)
    jobs = session.execute(mine.order_by(JobRow.created_at))
    return {**execution(row), "outcome_json": row.outcome, "jobs": [_job(session, job) for job in jobs]}


class Recorded(NamedTuple):
    """An execution that was recorded, and when."""

    id: str
    status: str
    updated_at: datetime


def changed_since(session: Session, tenant: str, since: datetime, most: int) -> list[Recorded]:
    """Executions of `tenant` that were recorded after `since`, the oldest first."""
    rows = session.execute(
        select(ExecutionRow.id, ExecutionRow.status, ExecutionRow.updated_at)
        .where(ExecutionRow.tenant_id == tenant, ExecutionRow.updated_at > since)
        .order_by(ExecutionRow.updated_at)
        .limit(most)
    )
    return [Recorded(*row) for row in rows]


def portions_of(session: Session, tenant: str, ids: Sequence[str]) -> list[list[str]]:
    """`ids`, as many at a time as are read together."""
    return list(_portions(session, tenant, ids))


def executions_of(session: Session, tenant: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Executions as lists show them, in the order in which they were recorded."""
    rows = _light(session, tenant, ids)
    return [execution(row) for row in sorted(rows, key=lambda row: row.updated_at)]


def list_jobs(session: Session, tenant: str, state: str, page: int, per_page: int) -> list[dict[str, Any]]:
    """Jobs in a state, the oldest first."""
    rows = session.execute(
        _jobs()
        .where(JobRow.tenant_id == tenant, JobRow.state == state)
        .order_by(JobRow.created_at, JobRow.id)
        .offset(page * per_page)
        .limit(per_page)
    )
    return [_job(session, row) for row in rows]


def _filtered(tenant: str, filters: Filters) -> Select[ExecutionRow]:
    query = select(ExecutionRow).where(ExecutionRow.tenant_id == tenant)
    for column, value in (
        (ExecutionRow.trigger_id, filters.trigger),
        (ExecutionRow.status, filters.status),
        (ExecutionRow.decision, filters.decision),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.since is not None:
        query = query.where(ExecutionRow.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(ExecutionRow.created_at < filters.until)
    if filters.action is not None:
        ran = and_(
            ExecutionAction.tenant_id == tenant,
            ExecutionAction.execution_id == ExecutionRow.id,
            ExecutionAction.action_name == filters.action,
        )
        query = query.where(exists().where(ran))
    return query


def _jobs() -> Any:
    """The columns of jobs that are shown: no payloads, which may hold an event of megabytes."""
    ran = and_(ExecutionRow.tenant_id == JobRow.tenant_id, ExecutionRow.id == JobRow.execution_id)
    shown = (
        JobRow.tenant_id,
        JobRow.id,
        JobRow.kind,
        ExecutionRow.trigger_id,
        JobRow.execution_id,
        JobRow.state,
        JobRow.attempts,
        JobRow.next_at,
        JobRow.last_error,
        JobRow.created_at,
        JobRow.updated_at,
    )
    return select(*shown).outerjoin(ExecutionRow, ran)


def _trigger(session: Session, row: Any) -> str | None:
    """The trigger that a job runs, also when the record of its execution is gone; None for builds."""
    if row.trigger_id is not None or row.execution_id is None:
        return row.trigger_id  # type: ignore[no-any-return]
    payload = session.scalar(
        select(JobRow.payload).where(JobRow.tenant_id == row.tenant_id, JobRow.id == row.id)
    )
    return None if payload is None else payload.get("trigger")


def _job(session: Session, row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "trigger_id": _trigger(session, row),
        "execution_id": row.execution_id,
        "state": row.state,
        "attempts": row.attempts,
        "next_at": moment(row.next_at),
        "last_error": row.last_error,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
