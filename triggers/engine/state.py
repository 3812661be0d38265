"""The state of a flow between two Actions: JSON, small, replayable, and what a suspension stores."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Self

from pydantic import Field, model_validator

from triggers.engine.commands import RecordedCommand, Suspension
from triggers.engine.effects import Effects, Frozen
from triggers.engine.fold import fold
from triggers.engine.known import get_trigger
from triggers.engine.trigger import Trigger
from triggers.values.json_value import clean, record, replaced, text
from triggers.values.refusals import ResumeError


class FlowState(Frozen):
    """The state of a flow. Immutable; Actions are run on it by `ActionSession` and committed to a new one.

    Attributes:
        trigger: trigger id.
        event: what the next Action sees, without secrets and configuration; not to be changed.
        stored: the objects of the event that pending commands changed, as they were before, at their
            places: a later Action may take back what an earlier one was going to write.
        commands: of all committed Actions, in order.
        suspension: what the flow waits for after the last committed Action.
        redirect_state: the `state` of the redirect that was resumed last.
        satisfied: factor types passed in this transaction.
    """

    trigger: str
    event: dict[str, Any]
    configuration: dict[str, Any] = Field(default_factory=dict)
    stored: dict[str, Any] = Field(default_factory=dict)
    commands: tuple[RecordedCommand, ...] = ()
    suspension: Suspension | None = None
    redirect_state: str | None = None
    satisfied: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _folds(self) -> Self:
        """A state from outside is one only when its trigger can fold its commands."""
        try:
            get_trigger(self.trigger)
            if self.commands:
                self.effects()
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("the commands are not those of the trigger") from error
        return self

    def effects(self) -> Effects:
        """The effects for the platform: a pure fold over the commands."""
        return fold(get_trigger(self.trigger), self.event, self.commands, self.suspension)

    def event_text(self) -> str:
        """The event as JSON text. Written once for all Actions that see the same event."""
        of, written = self._written[0]
        if of is not self.event:
            written = text(self.event)
            self._written[0] = self.event, written
        return written

    @cached_property
    def _written(self) -> list[tuple[dict[str, Any] | None, str]]:
        """The event that was written last, and its text; copies of the state share it."""
        return [(None, "")]

    def to_json(self) -> str:
        """JSON text; `from_json` gives an equal state back."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))

    @classmethod
    def from_json(cls, written: str | bytes) -> FlowState:
        """Raises `ValueError` for text that is not a flow state."""
        try:
            return cls.model_validate(clean(json.loads(written)))
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError("this is not the state of a flow") from error


def begin(trigger: Trigger, event: dict[str, Any]) -> FlowState:
    """The state before the first Action. `event` comes from `parse_event`; its secrets are left out."""
    visible = {key: value for key, value in event.items() if key not in ("secrets", "configuration")}
    if trigger.id == "post-login" and isinstance(visible.get("transaction"), dict):
        # Always there for Actions, and ours to keep; hand-written events lack it.
        visible["transaction"] = {"metadata": {}, **visible["transaction"]}
    if trigger.complete is not None:
        visible = trigger.complete(visible)
    return FlowState(trigger=trigger.id, event=visible, configuration=event.get("configuration") or {})


def resume(
    state: FlowState,
    *,
    request: dict[str, Any] | None = None,
    prompt: dict[str, Any] | None = None,
    methods: list[dict[str, Any]] | None = None,
    enrolled: list[dict[str, Any]] | None = None,
) -> FlowState:
    """The state with which a suspended flow goes on (reference/triggers.md section 7).

    Args:
        state: a suspended state; its `suspension` says which Action and handler come next.
        request: the request that resumes the flow; replaces `event.request`.
        prompt: what a form returned (`fields`, `vars`; `id` defaults to the form's); for a form only.
        methods: completed factors as `event.authentication.methods` lists them; appended there.
        enrolled: newly enrolled factors; appended to `event.user.enrolledFactors`.

    Raises:
        ResumeError: the state is not suspended, or on something else, or a value is not as described, or
            nothing is said about the factors that were asked for.
    """
    waiting = state.suspension
    if waiting is None:
        raise ResumeError("the flow is not suspended")
    if (prompt is not None) != (waiting.kind == "prompt"):
        raise ResumeError(
            "the flow waits for a form: hand over its result as `prompt`"
            if waiting.kind == "prompt"
            else f"the flow is suspended on a {waiting.kind}, not on a form"
        )
    event = state.event
    if request is not None:
        event = {**event, "request": _object(request, "request")}
    event = {key: value for key, value in event.items() if key != "prompt"}
    if waiting.prompt is not None:
        event["prompt"] = {"id": waiting.prompt.id, **_form(prompt)}
    passed = _objects(methods, "methods", "name")
    added = _objects(enrolled, "enrolled", "type")
    _require_steps(waiting, methods, enrolled)
    event = _appended(event, ("authentication", "methods"), passed)
    event = _appended(event, ("user", "enrolledFactors"), added)
    return state.model_copy(
        update={
            "event": event,
            "stored": {} if waiting.flushes else state.stored,
            "suspension": None,
            "redirect_state": waiting.redirect.state if waiting.redirect else state.redirect_state,
            "satisfied": (*state.satisfied, *(_factor(item) for item in passed if item["name"] == "mfa")),
        }
    )


def _require_steps(waiting: Suspension, methods: Any, enrolled: Any) -> None:
    """A resume that says nothing must not read as a passed challenge. An empty list says that nothing
    was passed, which is for the next Action to judge."""
    kinds = {step.kind for step in waiting.steps}
    if "challenge" in kinds and methods is None:
        raise ResumeError(
            "the flow waits for a challenge: hand over what was passed as `methods`, such as "
            "{'name': 'mfa', 'type': 'otp'}"
        )
    if "enroll" in kinds and methods is None and enrolled is None:
        raise ResumeError("the flow waits for an enrolment: hand over the new factors as `enrolled`")


def _factor(method: dict[str, Any]) -> str:
    return str(method.get("type", ""))


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResumeError(f"{name} must be an object")
    try:
        cleaned: dict[str, Any] = clean(value)
    except ValueError as error:
        raise ResumeError(f"{name} {error}") from error
    return cleaned


def _form(prompt: Any) -> dict[str, Any]:
    """Check the answer of a form: `fields` and `vars` are objects when they are there."""
    result = _object(prompt, "prompt")
    for name in ("fields", "vars"):
        if name in result:
            _object(result[name], f"prompt.{name}")
    return result


def _objects(values: Any, name: str, key: str) -> list[dict[str, Any]]:
    if values is None:
        return []
    if not isinstance(values, list):
        raise ResumeError(f"{name} must be an array")
    items = [_object(value, f"{name}[{index}]") for index, value in enumerate(values)]
    for index, item in enumerate(items):
        if not isinstance(item.get(key), str):
            raise ResumeError(f"{name}[{index}].{key} must be a string")
    return items


def _appended(event: dict[str, Any], path: tuple[str, str], items: list[dict[str, Any]]) -> dict[str, Any]:
    if not items:
        return event
    there = record(event, path[0]).get(path[1])
    return replaced(event, path, [*(there if isinstance(there, list) else []), *items])
