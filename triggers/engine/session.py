"""One Action's run: answers its api calls, keeps its commands, and commits them to a new flow state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypedDict

from pydantic import ValidationError

from triggers.engine.call import Call
from triggers.engine.commands import RecordedCommand, Suspension
from triggers.engine.explain import refusal_of
from triggers.engine.fold import INTERACTION_REQUIRED
from triggers.engine.known import get_trigger
from triggers.engine.services import Services
from triggers.engine.state import FlowState
from triggers.engine.surface import UNDEFINED, Change, Method
from triggers.engine.suspend import check_combination, plan
from triggers.values.json_value import JsonError, clean, copy, member, record, replaced, text
from triggers.values.refusals import CommitError, Refusal


class ReplyError(TypedDict, total=False):
    """An error for the guest; `name` is a JavaScript error class name."""

    name: str
    message: str
    code: str


class Reply(TypedDict, total=False):
    """Answer to one api call; has the shape of the sandbox's `ApiReply`.

    Keys:
        ok: the value for the guest; absent means `undefined` / `None`.
        error: thrown (or rejected) in the guest instead.
        event: replacements in the guest's `event` as (path, value).
        recorded: True when the call became a command.
        forged: True when the trigger has no such member.
    """

    ok: Any
    error: ReplyError
    event: list[tuple[list[str], Any]]
    recorded: bool
    forged: bool


class _Ending(NamedTuple):
    """Whether the Action denies; if not, what the flow waits for, or why that cannot be."""

    denies: bool
    suspension: Suspension | None = None
    impossible: str | None = None


@dataclass(slots=True)
class _Progress:
    """The state that changes while an Action runs."""

    event: dict[str, Any]
    own: list[RecordedCommand] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)
    abort: tuple[str, str] | None = None
    over: bool = False
    ending: _Ending | None = None


class ActionSession:
    """One Action's run in a flow. Use it for one execution: `event` in, `call`s, then `commit`; an Action
    that failed is simply never committed.

    Args:
        state: where the flow stands; not suspended.
        services: clock, cache and so on for this run.
        action_index: the Action's place in the flow, from 0.
        secrets: of this Action only; they reach its `event` and nothing else.
        configuration: `event.configuration`; None takes what the flow's event came with.
        handler: which handler runs, such as `onExecutePostLogin`.

    Raises:
        ValueError: the trigger has no such handler, or the state is suspended.
    """

    def __init__(
        self,
        state: FlowState,
        services: Services,
        *,
        action_index: int,
        secrets: dict[str, str],
        configuration: dict[str, Any] | None = None,
        handler: str,
    ) -> None:
        self._trigger: Final = get_trigger(state.trigger)
        if handler not in self._trigger.handlers:
            raise ValueError(f"{state.trigger} has no handler {handler!r}; it has {self._trigger.handlers}")
        if state.suspension is not None:
            raise ValueError("the flow is suspended; resume it first")
        self._state: Final = state
        self._services: Final = services
        self._index: Final = action_index
        self._private: Final = {
            "secrets": dict(secrets),
            "configuration": state.configuration if configuration is None else configuration,
        }
        self._continuing: Final = handler == self._trigger.continue_handler
        self._progress: Final = _Progress(state.event)

    @property
    def event(self) -> dict[str, Any]:
        """A deep copy of the event for the guest, with this Action's secrets and configuration."""
        event: dict[str, Any] = copy({**self._progress.event, **self._private})
        return event

    def event_json(self) -> str:
        """The same as JSON text, without making the copy."""
        if self._progress.event is not self._state.event or not self._private.keys().isdisjoint(
            self._state.event
        ):
            return text({**self._progress.event, **self._private})
        shared, private = self._state.event_text(), text(self._private)
        return f"{shared[:-1]},{private[1:]}" if len(shared) > 2 else private

    def call(self, path: str, arguments: list[Any]) -> Reply:
        """Answer one api call. Never raises, whatever the arguments are."""
        method = self._trigger.surface.get(path) if isinstance(path, str) else None
        if method is None:
            message = f"api.{path} is not a function" if isinstance(path, str) else "no such api member"
            return {"error": {"name": "TypeError", "message": message[:200]}, "forged": True}
        try:
            return self._answer(method, arguments)
        except Refusal as refusal:
            if refusal.aborts and self._progress.abort is None:
                self._progress.abort = (refusal.message, method.path)
            return {"error": {"name": refusal.name, "message": refusal.message, "code": refusal.code}}

    @property
    def halts(self) -> Literal["deny", "suspend"] | None:
        """The way in which this Action ends the flow, as far as it has come."""
        denies, suspension, impossible = self._ending()
        return "deny" if denies or impossible else "suspend" if suspension else None

    def commit(self) -> FlowState:
        """The state after this Action. The session answers no further calls.

        Raises:
            CommitError: what the Action asked for cannot be; it counts as failed.
        """
        self._progress.over = True
        if self._progress.abort is not None:
            raise CommitError(*self._progress.abort)
        _, suspension, impossible = self._ending()
        for check in self._trigger.checks:
            check(self._progress.own, self.halts == "deny")
        own = list(self._progress.own)
        if impossible is not None:
            own.append(
                RecordedCommand(
                    action=self._index, path=INTERACTION_REQUIRED, arguments={"reason": impossible}
                )
            )
        event, stored = self._next_event()
        return self._state.model_copy(
            update={
                "event": event,
                "stored": stored,
                "commands": (*self._state.commands, *own),
                "suspension": suspension,
            }
        )

    def _answer(self, method: Method, arguments: list[Any]) -> Reply:
        if self._progress.over:
            raise Refusal(f"{method.prefix} the Action is over; await what it starts", code="not_allowed")
        if method.gate is not None and method.gate not in self._services.features:
            raise Refusal(
                f"{method.prefix} is not implemented here: the feature {method.gate!r} is off", code="gated"
            )
        call = self._checked(method, arguments)
        value = method.run(call) if method.run is not None else UNDEFINED
        if method.kind == "query":
            return {} if value is UNDEFINED else {"ok": value}
        return self._record(method, call.arguments)

    def _checked(self, method: Method, arguments: list[Any]) -> Call:
        if method.suspends is not None:
            check_combination(method, self._progress.own, self._trigger)
        return Call(
            path=method.path,
            prefix=method.prefix,
            arguments=validated(method, arguments),
            event=self._progress.event,
            committed=self._state.commands,
            own=self._progress.own,
            redirect_state=self._state.redirect_state,
            services=self._services,
            continuing=self._continuing,
            memory=self._progress.memory,
        )

    def _record(self, method: Method, arguments: dict[str, Any]) -> Reply:
        progress = self._progress
        progress.own.append(RecordedCommand(action=self._index, path=method.path, arguments=arguments))
        reply: Reply = {"recorded": True}
        if method.kind == "live" and method.change is not None:
            changes = method.change(progress.event, arguments)
            progress.event = _changed(progress.event, changes)
            reply["event"] = [(path, copy(value)) for path, value in changes]
        return reply

    def _next_event(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The next Action's event: live changes are in already, commands show now. And what their changes
        hide, see `FlowState.stored`."""
        event, stored = self._progress.event, self._state.stored
        for command in self._progress.own:
            method = self._method(command)
            for path, value in method.later(event, command.arguments, stored) if method.later else ():
                if member(stored, *path) is None:
                    stored = replaced(stored, path, record(event, *path))
                event = replaced(event, path, value)
        return event, stored

    def _ending(self) -> _Ending:
        """The end of the Action; found once, after its last command."""
        found = self._progress.ending
        if found is None:
            own = self._progress.own
            denies = any(self._method(command).denies for command in own)
            found = (
                _Ending(True)
                if denies
                else _Ending(False, *plan(self._trigger, own, self._state, self._services, self._index))
            )
            if self._progress.over:
                self._progress.ending = found
        return found

    def _method(self, command: RecordedCommand) -> Method:
        method = self._trigger.surface.get(command.path)
        assert method is not None  # only calls of existing members are recorded
        return method


def validated(method: Method, arguments: Any) -> dict[str, Any]:
    """Positional arguments as the method's named ones: extra ones ignored, missing ones absent.

    Raises:
        Refusal: they break a rule of the declaration.
    """
    prefix = method.prefix
    if not isinstance(arguments, list):
        raise Refusal(f"{prefix} arguments must be an array", name="TypeError")
    named = _named(method, arguments, prefix)
    try:
        checked: dict[str, Any] = method.arguments.validate_python(named, strict=True)
    except ValidationError as error:
        raise refusal_of(error, prefix, method.annotations, method.hidden) from None
    return checked


def _named(method: Method, arguments: list[Any], prefix: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for parameter, argument in zip(method.parameters, arguments, strict=False):
        value = _cleaned(argument, prefix, parameter.name)
        if value is not None or parameter.required or parameter.nullable:
            named[parameter.name] = value
    options = method.options
    if options is None or len(arguments) <= len(method.parameters):
        return named
    value = _cleaned(arguments[len(method.parameters)], prefix, options.name)
    if options.bare is not None and value is not None and not isinstance(value, dict):
        value = {options.bare: value}
    if isinstance(value, dict):
        absent = {item.name for item in options.members if not (item.required or item.nullable)}
        value = {key: item for key, item in value.items() if item is not None or key not in absent}
    if value is not None or options.required:
        named[options.name] = value
    return named


def _cleaned(value: Any, prefix: str, name: str) -> Any:
    try:
        return clean(value)
    except JsonError as error:
        raise Refusal(f"{prefix} {name} {error}", name="TypeError") from None


def _changed(event: dict[str, Any], changes: list[Change]) -> dict[str, Any]:
    for path, value in changes:
        event = replaced(event, path, value)
    return event
