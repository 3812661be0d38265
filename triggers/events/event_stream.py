"""Event of the `event-stream` trigger, version 1."""

from __future__ import annotations

from typing import Annotated

from triggers.events.model.base import IDENTIFIER, PACKAGE, PLAIN, OpenMap, Part, Timestamp, known, may, must
from triggers.events.parts.context import Event
from triggers.values.stream_types import REFERENCE

StreamEventType = Annotated[str, known(*REFERENCE)]
StreamPurpose = Annotated[str, known("test")]


class Message(Part):
    """A CloudEvents envelope."""

    a0purpose: StreamPurpose | None = may("`test` when the message is only a test.", PLAIN, state=PACKAGE)
    a0stream: str | None = may("Id of the stream (`est_...`).", PLAIN, state=PACKAGE)
    a0tenant: str = must("Name of the tenant.", PLAIN, state=PACKAGE)
    data: OpenMap | None = may(
        "What happened: built-in events have `object` (the thing) and `context` (around it).", nullable=True
    )
    id: str = must("Id of the message; a message can come twice.", IDENTIFIER)
    source: str = must("Who sent it, a URN.", PLAIN)
    specversion: str = must("Version of CloudEvents, `1.0`.", PLAIN)
    time: Timestamp | None = may("When it happened.", PLAIN, nullable=True)
    type: StreamEventType = must("Kind of event.", PLAIN)


class EventStreamEvent(Event):
    """Something happened in the tenant that a stream is subscribed to."""

    message: Message = must("What happened.")
