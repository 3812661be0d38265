"""Events on their way to event streams (reference/trigger-event-stream.md).

Each stream gets an event once, as a job of its own: a delivery, by the id of the event's message. An event
that comes again under the same id is the same event.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from runner.jobs.payloads import payload_of
from runner.jobs.policy import FLOW
from runner.jobs.queue import JobQueue
from runner.model.caps import MAX_EVENT_ID, MAX_STREAM_FAILURES, MAX_STREAM_FAILURES_IN_A_ROW
from runner.store.database.upsert import insert_or_keep
from runner.store.executions import pending_row
from runner.store.tables.columns import now
from runner.store.tables.entities import EventDeliveryRow, EventStreamRow
from runner.store.tables.runs import DEAD, DONE, JobRow

TRIGGER: Final = "event-stream"
ENABLED: Final = "enabled"
DISABLED: Final = "disabled"


class EventIdError(ValueError):
    """The id of an event's message is empty or too long to be kept."""


def subscribed(session: Session, tenant: str, event_type: str) -> list[EventStreamRow]:
    """Enabled streams that want events of this type, the oldest first."""
    enabled = session.scalars(
        select(EventStreamRow)
        .where(EventStreamRow.tenant_id == tenant, EventStreamRow.status == ENABLED)
        .order_by(EventStreamRow.created_at, EventStreamRow.id)
    )
    return [stream for stream in enabled if event_type in stream.subscriptions]


def check_event_id(event: Mapping[str, Any]) -> None:
    """Raises `EventIdError`."""
    if not 1 <= len(event["message"]["id"]) <= MAX_EVENT_ID:
        raise EventIdError(f"$.message.id must have 1 to {MAX_EVENT_ID} characters")


def deliver(
    session: Session,
    queue: JobQueue,
    stream: EventStreamRow,
    event: Mapping[str, Any],
    kept: timedelta,
    traceparent: str | None = None,
) -> EventDeliveryRow:
    """Put an event on its way to a stream, in the caller's transaction; the delivery, which may be one that
    was there already.

    Args:
        event: a valid one, whose id `check_event_id` passed.
        kept: how long the record of its execution stays.
    """
    message = {**event["message"], "a0stream": stream.id}
    key = {"tenant_id": stream.tenant_id, "stream_id": stream.id, "event_id": message["id"]}
    execution_id, job_id = str(uuid.uuid4()), ""
    values = {"event_type": message["type"], "execution_id": execution_id, "job_id": job_id}
    insert_or_keep(session, EventDeliveryRow, {**key, **values, "created_at": now()})
    row = session.get(EventDeliveryRow, tuple(key.values()))
    assert row is not None, "it was just made or is there already"
    if row.execution_id != execution_id:
        return row
    body: dict[str, Any] = {"event": {**event, "message": message}, "action_id": None, "executed_rules": []}
    session.add(pending_row(stream.tenant_id, execution_id, TRIGGER, traceparent, kept))
    row.job_id = queue.put(
        session, stream.tenant_id, FLOW, payload_of(TRIGGER, body, traceparent), execution_id=execution_id
    )
    return row


def settle(session: Session, tenant: str, execution_id: str) -> None:
    """After an attempt of an execution was recorded and its job ended: count it for its stream, and disable
    the stream that has failed too often. Nothing for executions that are no delivery."""
    found = session.execute(
        select(EventDeliveryRow.stream_id, JobRow.state)
        .join(
            JobRow,
            (JobRow.tenant_id == EventDeliveryRow.tenant_id) & (JobRow.id == EventDeliveryRow.job_id),
        )
        .where(EventDeliveryRow.tenant_id == tenant, EventDeliveryRow.execution_id == execution_id)
    ).one_or_none()
    if found is None:
        return
    stream_id, state = found
    stream = update(EventStreamRow).where(EventStreamRow.tenant_id == tenant, EventStreamRow.id == stream_id)
    if state == DONE:
        session.execute(stream.where(EventStreamRow.failures_in_a_row > 0).values(failures_in_a_row=0))
    elif state == DEAD:
        failures, in_a_row = EventStreamRow.failures + 1, EventStreamRow.failures_in_a_row + 1
        session.execute(stream.values(failures=failures, failures_in_a_row=in_a_row))
        session.execute(
            stream.where(
                EventStreamRow.status == ENABLED,
                (EventStreamRow.failures >= MAX_STREAM_FAILURES)
                | (EventStreamRow.failures_in_a_row >= MAX_STREAM_FAILURES_IN_A_ROW),
            ).values(status=DISABLED, updated_at=now())
        )
