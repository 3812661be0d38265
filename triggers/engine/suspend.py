"""Suspension of flows: its causes, and where a flow goes on (reference/triggers.md section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from triggers.engine.commands import RecordedCommand, Suspension
from triggers.engine.effects import Prompt, Redirect, Step
from triggers.engine.services import Services
from triggers.engine.state import FlowState
from triggers.engine.surface import Method
from triggers.engine.trigger import Trigger
from triggers.values.json_value import member
from triggers.values.refusals import Refusal
from triggers.values.urls import with_query

_ALIASES: Final = {"push": "push-notification"}


def check_combination(method: Method, own: Sequence[RecordedCommand], trigger: Trigger) -> None:
    """One Action suspends in one way only: a redirect, one form, or challenges and enrolments.

    Raises:
        Refusal: that aborts the execution.
    """
    for command in own:
        other = trigger.surface.get(command.path)
        if other is None or other.suspends is None:
            continue
        if _way(other) != _way(method):
            raise Refusal(
                f"api.{method.path}: the same Action already called api.{other.path}; an Action can ask for "
                "one of redirect, form and multi-factor steps. Put them into separate Actions",
                code="aborted",
                aborts=True,
            )
        if method.suspends == "prompt":
            raise Refusal(
                f"api.{method.path}: the same Action already rendered the form "
                f"{command.arguments['promptId']!r}; an Action can render one form",
                code="aborted",
                aborts=True,
            )


def plan(
    trigger: Trigger, own: Sequence[RecordedCommand], state: FlowState, services: Services, action: int
) -> tuple[Suspension | None, str | None]:
    """The suspension after an Action, or the reason why it cannot be."""
    asking = [(_ways(trigger, command), command) for command in own]
    asking = [(way, command) for way, command in asking if way is not None]
    if not asking:
        return None, None
    way, command = asking[-1]
    if way in ("redirect", "prompt"):
        if trigger.can_redirect is not None and not trigger.can_redirect(state.event):
            return None, f"api.{command.path} was called where the user cannot be sent anywhere"
        return _interaction(trigger, command, services, action), None
    steps = tuple(
        step for way, command in asking if (step := _step(way, command.arguments, state)) is not None
    )
    if steps and member(state.event, "session", "actor") is not None:
        return None, "multi-factor steps are not possible in a delegated session"
    return _challenge(trigger, steps, action), None


def _way(method: Method) -> str | None:
    return "steps" if method.suspends in ("challenge", "enroll") else method.suspends


def _ways(trigger: Trigger, command: RecordedCommand) -> Any:
    method = trigger.surface.get(command.path)
    return method.suspends if method is not None else None


def _interaction(trigger: Trigger, command: RecordedCommand, services: Services, action: int) -> Suspension:
    assert trigger.continue_handler is not None  # only such triggers can redirect or render
    arguments = command.arguments
    common: dict[str, Any] = {
        "action": action,
        "resume_action": action,
        "resume_handler": trigger.continue_handler,
    }
    if "promptId" in arguments:
        prompt = Prompt(id=arguments["promptId"], **arguments.get("promptOptions", {}))
        return Suspension(kind="prompt", prompt=prompt, **common)
    state = services.redirect_state
    url = with_query(arguments["url"], {"state": state})
    return Suspension(kind="redirect", redirect=Redirect(url=url, state=state), **common)


def _challenge(trigger: Trigger, steps: tuple[Step, ...], action: int) -> Suspension | None:
    if not steps:
        return None
    return Suspension(
        kind=steps[0].kind,
        action=action,
        resume_action=action + 1,
        resume_handler=trigger.execute_handler,
        steps=steps,
    )


def _step(way: Any, arguments: dict[str, Any], state: FlowState) -> Step | None:
    """A step without the factors that need no asking: challenges passed in this transaction, and
    enrolments that exist. None when nothing is left (decided: the flow goes on)."""
    picker = "factors" in arguments
    factors = (
        arguments["factors"]
        if picker
        else [arguments["factor"], *arguments.get("options", {}).get("additionalFactors", [])]
    )
    done = set(state.satisfied) if way == "challenge" else _enrolled(state)
    names = {_ALIASES.get(name, name) for name in done}
    left = [item for item in factors if _ALIASES.get(item["type"], item["type"]) not in names]
    return Step(kind=way, factors=tuple(left), picker=picker) if left else None


def _enrolled(state: FlowState) -> set[str]:
    listed = member(state.event, "user", "enrolledFactors")
    found = listed if isinstance(listed, list) else []
    return {item["type"] for item in found if isinstance(item, dict) and isinstance(item.get("type"), str)}
