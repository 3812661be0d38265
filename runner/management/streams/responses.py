"""Responses about event streams and deliveries; see `runner.management.base.responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Instant, Uuid, closed
from runner.http.cursor_pagination import Next
from triggers.values.stream_types import STREAM_EVENT_TYPES

EventTypeName = Annotated[str, Field(json_schema_extra={"enum": sorted(STREAM_EVENT_TYPES)})]


class _Subscribed(TypedDict):
    event_type: EventTypeName


class _ToAction(TypedDict):
    action_id: Uuid


class _Target(TypedDict):
    type: Literal["action"]
    configuration: _ToAction


@closed
class EventStream(TypedDict):
    """A stream: the Action that is told of events, and of which ones."""

    id: Annotated[str, Field(pattern="^est_")]
    name: NotRequired[str]
    subscriptions: list[_Subscribed]
    destination: _Target
    status: Literal["enabled", "disabled"]
    created_at: Instant
    updated_at: Instant


@closed
class EventStreamList(TypedDict):
    """Streams in the order of their creation."""

    eventStreams: list[EventStream]
    next: NotRequired[Next]


@closed
class DeliveryAttempt(TypedDict):
    """One attempt. `duration`: milliseconds."""

    status: Literal["failed", "delivered"]
    timestamp: Instant
    error_message: NotRequired[str]
    duration: NotRequired[Annotated[float, Field(ge=0)]]


@closed
class Delivery(TypedDict):
    """An event on its way to a stream, or what became of it. `event`: while it is kept."""

    id: str
    event_stream_id: Annotated[str, Field(pattern="^est_")]
    status: Literal["pending", "delivered", "failed"]
    event_type: str
    attempts: list[DeliveryAttempt]
    event: NotRequired[dict[str, Any]]


@closed
class DeliveryList(TypedDict):
    """Failed deliveries, newest first."""

    deliveries: list[Delivery]
    next: NotRequired[Next]


@closed
class Redelivery(TypedDict):
    """The failed deliveries that are tried again, as it was asked."""

    date_from: NotRequired[Annotated[str, Field(json_schema_extra={"format": "date-time"})]]
    date_to: NotRequired[Annotated[str, Field(json_schema_extra={"format": "date-time"})]]
    statuses: NotRequired[list[Literal["failed"]]]
    event_types: NotRequired[list[EventTypeName]]
