"""Looking at executions and at work that failed, one tenant's only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, exists, select, tuple_
from sqlalchemy.orm import Session

from runner.runtime.wire import execution, moment
from runner.store.runs import ExecutionAction, ExecutionRow, JobRow


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None does not narrow. `since` is included, `until` is not."""

    trigger: str | None = None
    action: str | None = None
    status: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_executions(
    session: Session, tenant: str, filters: Filters, page: int, per_page: int
) -> list[dict[str, Any]]:
    """Executions, the newest first; empty past the end."""
    rows = session.scalars(
        _filtered(tenant, filters)
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id)
        .offset(page * per_page)
        .limit(per_page)
    )
    return [execution(row) for row in rows]


def get_execution(session: Session, tenant: str, execution_id: str) -> dict[str, Any] | None:
    """One execution with its outcome and its jobs, None when the tenant has none with this id."""
    row = session.get(ExecutionRow, (tenant, execution_id))
    if row is None:
        return None
    jobs = session.scalars(
        select(JobRow)
        .where(JobRow.tenant_id == tenant, JobRow.execution_id == execution_id)
        .order_by(JobRow.created_at)
    )
    return {**execution(row), "outcome_json": row.outcome, "jobs": [_job(job) for job in jobs]}


def changed_since(session: Session, tenant: str, since: datetime, most: int) -> list[ExecutionRow]:
    """Executions of `tenant` that were recorded after `since`, the oldest first."""
    return list(
        session.scalars(
            select(ExecutionRow)
            .where(ExecutionRow.tenant_id == tenant, ExecutionRow.updated_at > since)
            .order_by(ExecutionRow.updated_at)
            .limit(most)
        )
    )


def executions_of(session: Session, keys: Sequence[tuple[str, str]]) -> list[ExecutionRow]:
    """Executions by tenant and id, in the order in which they were recorded."""
    wanted = tuple_(ExecutionRow.tenant_id, ExecutionRow.id).in_(keys)
    return list(session.scalars(select(ExecutionRow).where(wanted).order_by(ExecutionRow.updated_at)))


def list_jobs(session: Session, tenant: str, state: str, page: int, per_page: int) -> list[dict[str, Any]]:
    """Jobs in a state, the oldest first."""
    rows = session.scalars(
        select(JobRow)
        .where(JobRow.tenant_id == tenant, JobRow.state == state)
        .order_by(JobRow.created_at, JobRow.id)
        .offset(page * per_page)
        .limit(per_page)
    )
    return [_job(row) for row in rows]


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


def _job(row: JobRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "trigger_id": row.payload.get("trigger"),
        "execution_id": row.execution_id,
        "state": row.state,
        "attempts": row.attempts,
        "next_at": moment(row.next_at),
        "last_error": row.last_error,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
