"""Deliveries to event streams: those that failed, delivering them again, and test events
(reference/management-api.md section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Response
from pydantic import BeforeValidator, Field
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import Cursor, WantedCursorPage
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.queries import Absent
from runner.jobs.event_streams import ENABLED, deliver
from runner.management.base.context import Caller, answer, find_named, management_router, note
from runner.management.base.schemas import Body
from runner.management.streams import responses
from runner.management.streams.routes import WHAT, EventType, known_event_type
from runner.model.caps import MAX_EVENT_ID, MAX_LIST_BYTES, MAX_SUBSCRIPTIONS
from runner.store.database.by_size import portions
from runner.store.tables.columns import named_id, now
from runner.store.tables.entities import EventDeliveryRow, EventStreamRow
from runner.store.tables.runs import DEAD, DONE, ExecutionRow, JobRow
from triggers.values.stream_types import sample_data

router: Final = management_router("Event streams")
_FAILED: Final = "failed"
_STATES: Final = {DEAD: _FAILED, DONE: "delivered"}
"""Of jobs; those in no other state are pending. A job that is gone was done."""
_BATCH: Final = 200
"""Deliveries of one transaction: others get their turn in between."""


def date_of(text: Any) -> datetime:
    """A moment in the form of RFC 3339, with its zone. Raises `ValueError`."""
    if not isinstance(text, str):
        raise ValueError("it must be a string in the form of RFC 3339")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("it must be a date and time in the form of RFC 3339") from None
    if at.tzinfo is None:
        raise ValueError("it needs a time zone, such as Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is too far away") from None


Date = Annotated[datetime, BeforeValidator(date_of)]


class Redeliver(Body):
    """POST /event-streams/{id}/redeliver: which of those that failed; all of them when nothing is said.
    `date_from` is included, `date_to` is not."""

    date_from: Date | None = None
    date_to: Date | None = None
    statuses: Annotated[list[Literal["failed"]], Field(max_length=1)] | None = None
    event_types: Annotated[list[EventType], Field(max_length=MAX_SUBSCRIPTIONS)] | None = None


class TestEvent(Body):
    """POST /event-streams/{id}/test. Without `data` it is made up."""

    __test__ = False  # no test case

    event_type: EventType
    data: dict[str, Any] | None = None


@router.get(
    "/event-streams/{stream_id}/deliveries",
    summary="List failed deliveries",
    response_model=responses.DeliveryList,
)
def list_deliveries(
    caller: Annotated[Caller, needs("read:event_deliveries")],
    wanted: WantedCursorPage,
    stream_id: str,
    statuses: Annotated[str | Absent, Query(max_length=64, description="`failed`, the only one.")] = None,
    event_types: Annotated[str | Absent, Query(max_length=4096, description="Separated by commas.")] = None,
    date_from: Annotated[str | Absent, Query(max_length=64, description="RFC 3339; included.")] = None,
    date_to: Annotated[str | Absent, Query(max_length=64, description="RFC 3339; excluded.")] = None,
) -> Response:
    """Deliveries of which every attempt failed, the newest first; `next` while there are more. A page ends
    early when its events take more than 4 MiB."""
    if statuses is not None and set(statuses.split(",")) != {_FAILED}:
        raise _bad_query("statuses", "only failed deliveries are listed")
    since, until = _query_date("date_from", date_from), _query_date("date_to", date_to)
    types = None if event_types is None else event_types.split(",")
    for name in types or ():
        try:
            known_event_type(name)
        except ValueError as error:
            raise _bad_query("event_types", str(error)) from None
    with caller.service.store.read() as session:
        stream = find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT)
        query = _failed(stream, since, until, types)
        at, key = EventDeliveryRow.created_at, EventDeliveryRow.event_id
        rows, following = wanted.fetch(session, query, at, key, newest=True)
        shown = _first_portion(session, stream.tenant_id, rows)
        if len(shown) < len(rows):
            rows = shown
            following = str(Cursor(rows[-1].created_at, rows[-1].event_id))
        items = _views(session, stream.tenant_id, rows)
    return answer({"deliveries": items, **({} if following is None else {"next": following})})


@router.get(
    "/event-streams/{stream_id}/deliveries/{event_id}",
    summary="Get a delivery",
    response_model=responses.Delivery,
)
def get_delivery(
    caller: Annotated[Caller, needs("read:event_deliveries")], stream_id: str, event_id: str
) -> Response:
    """Of any status, with all its attempts."""
    with caller.service.store.read() as session:
        stream = find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT)
        return answer(_view(session, _find(session, stream, event_id)))


@router.post(
    "/event-streams/{stream_id}/redeliver",
    summary="Deliver failed events again",
    status_code=202,
    response_model=responses.Redelivery,
    response_description="They are tried again.",
)
def redeliver(
    caller: Annotated[Caller, needs("update:event_deliveries")],
    stream_id: str,
    body: Redeliver | None = None,
) -> Response:
    """Each with all its attempts, under the same execution id."""
    wanted, began, failed = body or Redeliver(), now(), None
    while failed is None or failed == _BATCH:
        with caller.service.store.begin() as session:
            stream = _enabled(session, caller, stream_id)
            if failed is None:
                note(caller, session, "event_stream.redeliver", stream.id)
            query = _failed(stream, wanted.date_from, wanted.date_to, wanted.event_types)
            query = query.where(JobRow.updated_at <= began)  # not those that failed again meanwhile
            rows = session.scalars(query.order_by(EventDeliveryRow.created_at).limit(_BATCH)).all()
            for row in rows:
                caller.service.queue.revive(session, caller.tenant, row.job_id)
            failed = len(rows)
    return answer(wanted.model_dump(mode="json", exclude_none=True), 202)


@router.post(
    "/event-streams/{stream_id}/redeliver/{event_id}",
    summary="Deliver one failed event again",
    status_code=202,
    response_class=Response,
    response_description="It is tried again.",
)
def redeliver_one(
    caller: Annotated[Caller, needs("update:event_deliveries")], stream_id: str, event_id: str
) -> Response:
    """With all its attempts, under the same execution id."""
    with caller.service.store.begin() as session:
        stream = _enabled(session, caller, stream_id)
        row = _find(session, stream, event_id)
        if not caller.service.queue.revive(session, caller.tenant, row.job_id):
            raise bad_request("The delivery has not failed: there is nothing to deliver again.")
        note(caller, session, "event_stream.redeliver", stream.id)
    return Response(status_code=202)


@router.post(
    "/event-streams/{stream_id}/test",
    summary="Send a test event",
    status_code=202,
    response_model=responses.Delivery,
    response_description="The event is on its way.",
)
def test_stream(
    caller: Annotated[Caller, needs("create:event_deliveries")], stream_id: str, body: TestEvent
) -> Response:
    """Delivered as any other, of a type subscribed to or not; its `a0purpose` is `test`."""
    service, tenant = caller.service, caller.tenant
    message = {
        "id": named_id("evt"),
        "type": body.event_type,
        "source": f"urn:auth0:{tenant}",
        "specversion": "1.0",
        "time": now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": sample_data(body.event_type, tenant) if body.data is None else body.data,
        "a0tenant": tenant,
        "a0purpose": "test",
    }
    with service.store.begin() as session:
        stream = _enabled(session, caller, stream_id)
        kept = timedelta(days=service.settings.execution_days)
        row = deliver(session, service.queue, stream, {"message": message}, kept)
        note(caller, session, "event_stream.test", stream.id)
        session.flush()
        return answer(_view(session, row), 202)


test_stream.__test__ = False  # type: ignore[attr-defined]


def _enabled(session: Session, caller: Caller, stream_id: str) -> EventStreamRow:
    stream = find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT)
    if stream.status != ENABLED:
        raise bad_request("The event stream is disabled: enable it first.", "event_stream_disabled")
    return stream


def _find(session: Session, stream: EventStreamRow, event_id: str) -> EventDeliveryRow:
    key = (stream.tenant_id, stream.id, event_id)
    sound = len(event_id) <= MAX_EVENT_ID and "\0" not in event_id
    row = session.get(EventDeliveryRow, key) if sound else None
    if row is None:
        raise not_found("delivery")
    return row


def _failed(
    stream: EventStreamRow, since: datetime | None, until: datetime | None, types: Sequence[str] | None
) -> Select[EventDeliveryRow]:
    query = (
        select(EventDeliveryRow)
        .join(
            JobRow,
            (JobRow.tenant_id == EventDeliveryRow.tenant_id) & (JobRow.id == EventDeliveryRow.job_id),
        )
        .where(
            EventDeliveryRow.tenant_id == stream.tenant_id,
            EventDeliveryRow.stream_id == stream.id,
            JobRow.state == DEAD,
        )
    )
    if since is not None:
        query = query.where(EventDeliveryRow.created_at >= since)
    if until is not None:
        query = query.where(EventDeliveryRow.created_at < until)
    return query if types is None else query.where(EventDeliveryRow.event_type.in_(types))


def _view(session: Session, row: EventDeliveryRow) -> dict[str, Any]:
    return _views(session, row.tenant_id, [row])[0]


def _views(session: Session, tenant: str, rows: Sequence[EventDeliveryRow]) -> list[dict[str, Any]]:
    jobs = session.scalars(
        select(JobRow).where(JobRow.tenant_id == tenant, JobRow.id.in_([row.job_id for row in rows]))
    )
    job_of = {job.id: job for job in jobs}
    attempts = _attempts(session, tenant, [row.execution_id for row in rows])
    return [_shown(row, job_of.get(row.job_id), attempts.get(row.execution_id, [])) for row in rows]


def _first_portion(session: Session, tenant: str, rows: list[EventDeliveryRow]) -> list[EventDeliveryRow]:
    """The first of `rows`, as many as a list may show the events of."""
    ids = [row.job_id for row in rows]
    divided = portions(session, JobRow.id, JobRow.tenant_id == tenant, ids, [JobRow.payload], MAX_LIST_BYTES)
    return rows[: len(next(divided, ids))]


def _attempts(session: Session, tenant: str, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Attempts by execution, read a few megabytes at a time: what Actions wrote is beside them."""
    mine = ExecutionRow.tenant_id == tenant
    found: dict[str, list[dict[str, Any]]] = {}
    for portion in portions(session, ExecutionRow.id, mine, ids, [ExecutionRow.results], MAX_LIST_BYTES):
        rows = session.execute(
            select(ExecutionRow.id, ExecutionRow.results).where(mine, ExecutionRow.id.in_(portion))
        )
        found |= {key: [_attempt(item) for item in results] for key, results in rows}
    return found


def _shown(row: EventDeliveryRow, job: JobRow | None, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    if job is not None and job.state == DEAD and not attempts:
        given_up = {"status": _FAILED, "timestamp": moment(job.updated_at)}
        attempts = [{**given_up, "error_message": job.last_error or ""}]
    return {
        "id": row.event_id,
        "event_stream_id": row.stream_id,
        "status": _STATES[DONE] if job is None else _STATES.get(job.state, "pending"),
        "event_type": row.event_type,
        "attempts": attempts,
        **({} if job is None else {"event": job.payload["body"]["event"]["message"]}),
    }


def _attempt(result: Mapping[str, Any]) -> dict[str, Any]:
    error = result.get("error")
    found = {"status": _STATES[DONE] if error is None else _FAILED, "timestamp": result["ended_at"]}
    if error is not None:
        found["error_message"] = error["msg"]
    if "statistics" in result:
        found["duration"] = result["statistics"]["wall_ms"]
    return found


def _query_date(name: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else date_of(text)
    except ValueError as error:
        raise _bad_query(name, str(error)) from None


def _bad_query(name: str, why: str) -> ApiError:
    return bad_request(f"Query validation error: '{why}' in {name}.", "invalid_query_string")
