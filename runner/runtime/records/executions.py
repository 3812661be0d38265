"""Looking at executions and at work that failed, one tenant's only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, select, text, tuple_
from sqlalchemy.orm import Session, defer

from runner.http.answer_types import moment
from runner.http.cursor_pagination import Cursor
from runner.model.caps import MAX_LIST_BYTES
from runner.runtime.schemas import execution
from runner.store.database.by_size import portions
from runner.store.tables.records import RecordSubjectRow
from runner.store.tables.runs import (
    UNUSUAL_DECISION,
    UNUSUAL_STATUS,
    USUAL_DECISION,
    USUAL_STATUS,
    ExecutionAction,
    ExecutionRow,
    JobRow,
)

_MOST_ABOUT: Final = 1_000
"""Executions about one user that are looked among."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a list; None does not narrow. `since` is included, `until` is not; `subject`: the hash of a
    user's id, see `runner.records.subjects`."""

    trigger: str | None = None
    action: str | None = None
    status: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    subject: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether executions are looked at for more than their Actions and their time."""
        return any(item is not None for item in (self.trigger, self.status, self.decision, self.subject))


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
    query = _wanted(session, tenant, filters, after)
    if filters.subject is not None:
        query = query.where(ExecutionRow.id.in_(_about(session, tenant, filters.subject)))
    if after is None:
        query = query.offset(page * per_page)
    places = [Cursor(at, key) for key, at in session.execute(query.limit(per_page + 1))]
    shown = next(_portions(session, tenant, [place.id for place in places[:per_page]]), [])
    rows = {row.id: row for row in _light(session, tenant, shown)}
    items = [execution(rows[key]) for key in shown if key in rows]
    return Part(items, places[len(shown) - 1] if len(shown) < len(places) else None)


def _about(session: Session, tenant: str, subject: str) -> Sequence[str]:
    """Ids of the newest recorded executions that are about a user. They are few, so these are what databases
    begin with, where SQLite would try each execution."""
    mine = (RecordSubjectRow.tenant_id == tenant, RecordSubjectRow.subject == subject)
    newest = select(RecordSubjectRow.execution_id).where(*mine).order_by(RecordSubjectRow.expires_at.desc())
    return session.scalars(newest.limit(_MOST_ABOUT)).all()


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


def _wanted(session: Session, tenant: str, filters: Filters, after: Cursor | None) -> Any:
    """Ids and moments of the executions that are wanted, the newest first.

    They are read along an index from the first to the last: an Action's own, unless an unusual end is asked
    for, of which there are fewer. SQLite has no statistics to choose by, so it is chosen here.
    """
    at, key = ExecutionRow.created_at, ExecutionRow.id
    action = filters.action
    if action is None or _is_unusual(filters) or _has_undated(session, tenant, action):
        query = _filtered(select(key, at), tenant, filters, at, key, after)
        if action is not None:
            # Without an offset PostgreSQL may gather all that the Action ran, and join it.
            found = select(ExecutionAction.position).where(
                _ran(tenant, action), ExecutionAction.execution_id == key
            )
            query = query.where(found.offset(0).exists())
        return query.order_by(at.desc(), key.desc())
    began, ran = ExecutionAction.created_at, ExecutionAction.execution_id
    query = select(ran, began).where(_ran(tenant, action), began.is_not(None)).distinct()
    if filters.narrows:
        query = query.join(ExecutionRow, (ExecutionRow.tenant_id == tenant) & (key == ran))
    query = _filtered(query, tenant, filters, began, ran, after, joined=filters.narrows)
    return query.order_by(began.desc(), ran.desc())


def _has_undated(session: Session, tenant: str, action: str) -> bool:
    """Whether an earlier release recorded some of what the Action did: when those executions began is in
    their own rows alone."""
    undated = select(ExecutionAction.position).where(
        _ran(tenant, action), ExecutionAction.created_at.is_(None)
    )
    return session.execute(undated.limit(1)).first() is not None


def _ran(tenant: str, action: str) -> ColumnElement[bool]:
    return and_(ExecutionAction.tenant_id == tenant, ExecutionAction.action_name == action)


def _is_unusual(filters: Filters) -> bool:
    return filters.decision not in (None, USUAL_DECISION) or filters.status not in (None, USUAL_STATUS)


def _filtered(
    query: Any, tenant: str, filters: Filters, at: Any, key: Any, after: Cursor | None, *, joined: bool = True
) -> Any:
    """Narrowed by everything but the Action. `joined`: executions are part of the query."""
    if joined:
        query = query.where(ExecutionRow.tenant_id == tenant)
        for column, value in (
            (ExecutionRow.trigger_id, filters.trigger),
            (ExecutionRow.status, filters.status),
            (ExecutionRow.decision, filters.decision),
        ):
            if value is not None:
                query = query.where(column == value)
        if filters.decision not in (None, USUAL_DECISION):
            query = query.where(text(UNUSUAL_DECISION))
        if filters.status not in (None, USUAL_STATUS):
            query = query.where(text(UNUSUAL_STATUS))
    if filters.since is not None:
        query = query.where(at >= filters.since)
    if filters.until is not None:
        query = query.where(at < filters.until)
    if after is not None:
        query = query.where(tuple_(at, key) < tuple_(after.at, after.id))
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
