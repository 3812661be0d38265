"""Event streams: which Action is told of which events (reference/management-api.md section 8)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Response
from pydantic import AfterValidator, Field
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.http.auth.caller import needs
from runner.http.cursor_pagination import WantedCursorPage
from runner.http.described import refusals
from runner.http.errors import ApiError
from runner.jobs.event_streams import ENABLED, TRIGGER
from runner.management.actions.references import attachable
from runner.management.actions.removal import remove_action
from runner.management.base.context import (
    Caller,
    answer,
    check_room,
    find_named,
    management_router,
    no_content,
    note,
)
from runner.management.base.schemas import Body
from runner.management.streams import responses
from runner.model.caps import MAX_STREAM_NAME, MAX_STREAMS, MAX_SUBSCRIPTIONS
from runner.store.generations import bump
from runner.store.tables.columns import named_id, now
from runner.store.tables.entities import EventDeliveryRow, EventStreamRow
from runner.store.tables.models import ActionRow
from runner.store.tables.runs import DONE, ExecutionRow, JobRow
from triggers.values.stream_types import STREAM_EVENT_TYPES

router: Final = management_router("Event streams")
WHAT: Final = "event stream"
_KIND: Final = "est"


def known_event_type(name: str) -> str:
    """Raises `ValueError` for a type that nothing is ever of."""
    if name not in STREAM_EVENT_TYPES:
        raise ValueError(f"there is no such type of event; known: {', '.join(sorted(STREAM_EVENT_TYPES))}")
    return name


EventType = Annotated[str, AfterValidator(known_event_type)]
Status = Literal["enabled", "disabled"]


class Subscription(Body):
    """One type of event."""

    event_type: EventType


class DestinationConfiguration(Body):
    """The Action that is told."""

    action_id: Annotated[str, Field(min_length=1, max_length=36)]


class Destination(Body):
    """An Action; webhooks and EventBridge are the platform's own to deliver to."""

    type: Literal["action"]
    configuration: DestinationConfiguration


StreamName = Annotated[str, Field(min_length=1, max_length=MAX_STREAM_NAME)]
Subscriptions = Annotated[list[Subscription], Field(min_length=1, max_length=MAX_SUBSCRIPTIONS)]


class StreamFields(Body):
    """The fields that POST and PATCH share; `model_fields_set` says which ones were sent."""

    name: StreamName = ""
    subscriptions: Subscriptions = Field(default_factory=list)
    status: Status = "enabled"


class CreateStream(StreamFields):
    """POST /event-streams."""

    destination: Destination


class UpdateStream(StreamFields):
    """PATCH /event-streams/{id}."""

    destination: Destination = Field(
        default_factory=lambda: Destination(
            type="action", configuration=DestinationConfiguration(action_id="unset")
        )
    )


@router.get("/event-streams", summary="List event streams", response_model=responses.EventStreamList)
def list_streams(
    caller: Annotated[Caller, needs("read:event_streams")], wanted: WantedCursorPage
) -> Response:
    """In the order of their creation; `next` while there are more."""
    query = select(EventStreamRow).where(EventStreamRow.tenant_id == caller.tenant)
    with caller.service.store.read() as session:
        rows, following = wanted.fetch(session, query, EventStreamRow.created_at, EventStreamRow.id)
    found: dict[str, Any] = {"eventStreams": [_view(row) for row in rows]}
    return answer(found if following is None else {**found, "next": following})


@router.post(
    "/event-streams",
    summary="Create an event stream",
    status_code=201,
    response_model=responses.EventStream,
    responses=refusals(409),
)
def create_stream(caller: Annotated[Caller, needs("create:event_streams")], body: CreateStream) -> Response:
    """Enabled unless told otherwise: from now on the Action gets events of the types subscribed to."""
    row = EventStreamRow(
        tenant_id=caller.tenant, id=named_id(_KIND), status=ENABLED, subscriptions=[], created_at=now()
    )
    with caller.service.store.begin() as session:
        check_room(session, EventStreamRow, caller.tenant, MAX_STREAMS, "event streams")
        _apply(session, row, body)
        session.add(row)
        _flush(session)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "event_stream.create", row.id)
        return answer(_view(row), 201)


@router.get("/event-streams/{stream_id}", summary="Get an event stream", response_model=responses.EventStream)
def get_stream(caller: Annotated[Caller, needs("read:event_streams")], stream_id: str) -> Response:
    with caller.service.store.read() as session:
        return answer(_view(find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT)))


@router.patch(
    "/event-streams/{stream_id}",
    summary="Change an event stream",
    response_model=responses.EventStream,
    responses=refusals(409),
)
def update_stream(
    caller: Annotated[Caller, needs("update:event_streams")], stream_id: str, body: UpdateStream
) -> Response:
    """Change the members that are sent. Enabling a stream begins a new count of its failures."""
    with caller.service.store.begin() as session:
        row = find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT, lock=True)
        _apply(session, row, body)
        _flush(session)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "event_stream.update", row.id)
        return answer(_view(row))


@router.delete(
    "/event-streams/{stream_id}", summary="Delete an event stream", status_code=204, responses=refusals(409)
)
def delete_stream(caller: Annotated[Caller, needs("delete:event_streams")], stream_id: str) -> Response:
    """With its Action, unless another stream uses that; what is still on its way is given up."""
    with caller.service.store.begin() as session:
        row = find_named(session, EventStreamRow, caller.tenant, stream_id, WHAT, lock=True)
        _give_up(session, row)
        session.delete(row)
        session.flush()
        shared = select(EventStreamRow.id).where(
            EventStreamRow.tenant_id == caller.tenant, EventStreamRow.action_id == row.action_id
        )
        if session.scalar(shared.limit(1)) is None:
            action = session.get(ActionRow, (caller.tenant, row.action_id), with_for_update=True)
            assert action is not None, "what a stream uses is not deleted"
            remove_action(caller, session, action, force=False)
        bump(session, caller.tenant, TRIGGER)
        note(caller, session, "event_stream.delete", row.id)
    return no_content()


def _apply(session: Session, row: EventStreamRow, body: CreateStream | UpdateStream) -> None:
    """Write what was sent. Raises `ApiError` 400."""
    sent = body.model_fields_set
    row.updated_at = now()
    if "name" in sent:
        row.name = body.name
    if "subscriptions" in sent:
        row.subscriptions = list(dict.fromkeys(item.event_type for item in body.subscriptions))
    if "destination" in sent:
        action = attachable(
            session,
            row.tenant_id,
            body.destination.configuration.action_id,
            TRIGGER,
            "$.destination.configuration.action_id",
        )
        row.action_id = action.id
    if "status" in sent:
        if body.status == ENABLED:
            row.failures = row.failures_in_a_row = 0
        row.status = body.status


def _give_up(session: Session, row: EventStreamRow) -> None:
    """End what is on its way to the stream: its executions are cancelled, its jobs go."""
    mine = (EventDeliveryRow.tenant_id == row.tenant_id, EventDeliveryRow.stream_id == row.id)
    jobs = select(EventDeliveryRow.job_id).where(*mine)
    unfinished = select(JobRow.execution_id).where(
        JobRow.tenant_id == row.tenant_id, JobRow.id.in_(jobs), JobRow.state != DONE
    )
    session.execute(
        update(ExecutionRow)
        .where(
            ExecutionRow.tenant_id == row.tenant_id,
            ExecutionRow.id.in_(unfinished),
            ExecutionRow.status == "pending",
        )
        .values(status="canceled", updated_at=now())
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(JobRow)
        .where(JobRow.tenant_id == row.tenant_id, JobRow.id.in_(jobs))
        .execution_options(synchronize_session=False)
    )


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise ApiError(409, "The action was deleted in this moment.") from None


def _view(row: EventStreamRow) -> dict[str, Any]:
    return {
        "id": row.id,
        **({} if row.name is None else {"name": row.name}),
        "subscriptions": [{"event_type": name} for name in row.subscriptions],
        "destination": {"type": "action", "configuration": {"action_id": row.action_id}},
        "status": row.status,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
