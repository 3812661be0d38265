"""Judging events by the name of their trigger."""

from __future__ import annotations

from typing import Any

from triggers.events import check, event_model


def check_event(trigger_id: str, event: Any) -> Any:
    """`event` itself when it has the shape of the trigger's. Raises `EventError`."""
    check(event_model(trigger_id), event)
    return event
