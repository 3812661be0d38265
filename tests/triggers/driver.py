"""Runs flows of pretended Actions: each is a list of api calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from triggers import ActionSession, FlowState, MemoryCache, Services, begin, get_trigger
from triggers.engine.effects import Effects
from triggers.engine.session import Reply
from triggers.engine.state import resume
from triggers.values.json_value import replaced

NOW = 1_700_000_000.0
ABSENT = object()


class Flow:
    """One flow. `event` holds changes to the example event by dotted path; `ABSENT` removes."""

    def __init__(self, trigger: str, event: dict[str, Any] | None = None, **services: Any) -> None:
        self.trigger = get_trigger(trigger)
        data = self.trigger.example_event
        for path, value in (event or {}).items():
            data = _put(data, path.split("."), value)
        self.state: FlowState = begin(self.trigger, self.trigger.parse_event(data))
        defaults = {"clock": lambda: NOW, "redirect_state": "state-1", "cache": MemoryCache()}
        self.services = Services(**{**defaults, **services})
        self.index = 0

    def session(self, handler: str | None = None, **options: Any) -> ActionSession:
        return ActionSession(
            self.state,
            self.services,
            action_index=self.index,
            secrets={},
            handler=handler or self.trigger.execute_handler,
            **options,
        )

    def call(self, path: str, *arguments: Any) -> Reply:
        """One call in an Action of its own, which is never committed."""
        return self.session().call(path, list(arguments))

    def action(self, *calls: tuple[Any, ...], handler: str | None = None) -> Flow:
        """An Action that makes these calls, each of which must be accepted, and is committed."""
        session = self.session(handler)
        for path, *arguments in calls:
            reply = session.call(path, arguments)
            assert "error" not in reply, reply
        self.state = session.commit()
        self.index += 1
        return self

    def proceed(self, **what: Any) -> Flow:
        """Resume; the next `action` runs where the suspension says."""
        waiting = self.state.suspension
        assert waiting is not None
        self.state = resume(self.state, **what)
        self.index = waiting.resume_action
        return self

    def with_services(self, **changes: Any) -> Flow:
        self.services = replace(self.services, **changes)
        return self

    @property
    def effects(self) -> Effects:
        return self.state.effects()


def _put(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    if value is not ABSENT:
        return replaced(data, path, value)
    inner = data
    for part in path[:-1]:
        inner = inner[part]
    inner.pop(path[-1], None)
    return data


def error(reply: Reply) -> str:
    """The text of a refused call."""
    assert "error" in reply, reply
    return reply["error"]["message"]


def accepted(replies: Iterable[Reply]) -> bool:
    return all("error" not in reply for reply in replies)
