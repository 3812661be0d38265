"""From the outcome of a flow to what its provider is told."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.effects import HARMLESS, MOST_SHOWN, Dropped, Effect, named
from runner.hooks.model import Case, Hook, Payload, Result
from runner.model.outcome import Decision, FlowOutcome
from sandbox.core.failure import FailureCode
from triggers import Effects

_MESSAGES: Final = frozenset({"custom-phone-provider", "custom-email-provider", "send-phone-message"})
"""Triggers whose outcome says whether a message was delivered."""
TOO_LONG: Final = "The Actions took too long."


def dropped(hook: Hook, payload: Payload, effects: Effects) -> list[Dropped]:
    """The effects that do not reach the provider."""
    found = []
    for effect, name in named(effects):
        if effect in hook.carries:
            continue
        if effect in hook.elsewhere:
            found.append(Dropped(effect, name, "Another hook of this provider carries it.", matters=False))
        elif effect is Effect.SUSPENSION:
            found.append(Dropped(effect, "", "No hook can send the user somewhere or ask for something."))
        else:
            found.append(Dropped(effect, name, "This hook does not carry it.", effect not in HARMLESS))
    return [*found, *hook.losses(payload, effects)]


def result_of(hook: Hook, payload: Payload, outcome: FlowOutcome, *, deny_uncarried: bool) -> Result:
    """What the provider is told of an outcome."""
    effects = outcome.effects
    if _took_too_long(outcome):
        return Result(Case.TIMED_OUT, TOO_LONG)
    if outcome.trigger.id in _MESSAGES:
        return _of_message(outcome)
    if outcome.decision is Decision.DENY:
        denial = effects.denial
        reason = "" if denial is None else denial.user_message or denial.reason
        return Result(Case.DENIED, reason, Effects(denial=denial, decision="deny"))
    if outcome.decision is Decision.FAILED and outcome.trigger.blocking:
        return Result(Case.FAILED, "An Action failed.")
    if outcome.decision is Decision.SUSPENDED and deny_uncarried:
        message = "This login needs a step that cannot be shown here."
        return Result(Case.SUSPENDED, message)
    lost = [item for item in dropped(hook, payload, effects) if item.matters]
    if lost and deny_uncarried:
        return Result(Case.UNCARRIED, "This login needs something that cannot be done here.")
    return Result(Case.ALLOWED, effects=effects)


def _took_too_long(outcome: FlowOutcome) -> bool:
    """The flow as a whole, not one Action of it."""
    failure = outcome.failure
    waited_for = outcome.trigger.blocking or outcome.trigger.id in _MESSAGES
    ended = outcome.decision is Decision.FAILED and outcome.failed_action is None and waited_for
    return ended and failure is not None and failure.code is FailureCode.TIMEOUT


def _of_message(outcome: FlowOutcome) -> Result:
    notification = outcome.effects.notification
    if outcome.failure is not None or outcome.decision is not Decision.ALLOW:
        return Result(Case.FAILED, "An Action failed, and the message was not delivered.")
    if notification is None:
        return Result(Case.FAILED, "No Action delivers messages of this kind.")
    if notification.outcome == "delivered":
        return Result(Case.ALLOWED, effects=outcome.effects)
    case = Case.RETRY if notification.outcome == "retry" else Case.DROPPED
    return Result(case, "The message was not delivered.")


def facts_of(hook: Hook, payload: Payload, outcome: FlowOutcome, *, deny_uncarried: bool) -> dict[str, Any]:
    """What the record of an execution says of it: `result`, and `dropped` when there is something."""
    case = result_of(hook, payload, outcome, deny_uncarried=deny_uncarried).case
    lost = [item.shown() for item in dropped(hook, payload, outcome.effects)[:MOST_SHOWN]]
    return {"result": case.value, **({"dropped": lost} if lost else {})}
