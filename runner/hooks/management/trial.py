"""Trying a hook: the tenant's bound Actions on a payload, and what the provider would be told."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from runner.hooks.directory import configured
from runner.hooks.model import Answer, Case, Configured, Hook, Provider, RefusedError, Result
from runner.hooks.providers import PROVIDERS, example_of
from runner.hooks.verdict import dropped, result_of
from runner.http.errors import ApiError, invalid_body
from runner.jobs.policy import is_asynchronous
from runner.management.base.context import Caller
from runner.management.base.interfaces import BusyError
from runner.model.outcome import FlowOutcome
from runner.runtime.invocation import Invocation, nothing_bound
from runner.runtime.schemas import InvokeBody
from runner.store.resolved_flow import Reader
from runner.store.tables.entities import HookRow
from triggers import EventError, get_trigger


def tried(caller: Caller, row: HookRow, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """A `TestResult`. Raises `ApiError`. Nothing is recorded; the Actions do run."""
    provider = PROVIDERS[row.provider]
    hook = provider.hooks[row.hook]
    payload = example_of(provider, hook) if given is None else dict(given)
    with caller.service.store.read() as session:
        found = configured(session, caller.service.keys.ring, row)
    try:
        trigger = hook.trigger_of(payload)
        if trigger is None:
            return _shown(provider, hook, provider.response_of(hook, payload, Result(Case.IGNORED)))
        event = provider.event_of(hook, payload, trigger, found.defaults, caller.tenant)
        outcome = _run(caller, trigger, event)
    except RefusedError as error:
        raise invalid_body(f"$.payload: {error.message}") from None
    return _of_outcome(provider, hook, found, payload, trigger, event, outcome)


def _run(caller: Caller, trigger: str, event: dict[str, Any]) -> FlowOutcome:
    with caller.service.store.read() as session:
        flow = Reader(session, caller.service.keys.ring, caller.tenant).bound(trigger)
    try:
        if not flow.actions:
            get_trigger(trigger).parse_event(event)
            body = InvokeBody.model_construct(event=event)
            invocation = Invocation(caller.tenant, get_trigger(trigger), body, str(uuid.uuid4()))
            return nothing_bound(invocation, time.time(), caller.service.settings.budget_ms)
        return caller.service.flows.run_flow(caller.tenant, trigger, event, flow.actions)
    except EventError as error:
        problem = str(error.problems[0]) if error.problems else str(error)
        raise invalid_body(f"$.payload: it makes no event of {trigger}: {problem}.") from None
    except BusyError as error:
        headers = {"Retry-After": str(error.retry_after)}
        raise ApiError(429, str(error), "too_many_requests", headers=headers) from None


def _of_outcome(
    provider: Provider,
    hook: Hook,
    found: Configured,
    payload: Mapping[str, Any],
    trigger: str,
    event: dict[str, Any],
    outcome: FlowOutcome,
) -> dict[str, Any]:
    result = result_of(hook, payload, outcome, deny_uncarried=found.deny_uncarried)
    if is_asynchronous(trigger):
        result = Result(Case.ACCEPTED)
    shown = _shown(provider, hook, provider.response_of(hook, payload, result))
    actions = outcome.model_dump(mode="json", include={"actions"})["actions"]
    return shown | {
        "trigger": trigger,
        "event": event,
        "decision": outcome.decision.value,
        "result": result.case.value,
        "dropped": [item.shown() for item in dropped(hook, payload, outcome.effects)],
        "actions": [
            {
                "name": item["name"],
                "status": item["status"],
                "logs": item["logs"],
                **({"failure": item["failure"]} if item["failure"] else {}),
            }
            for item in actions
        ],
    }


def _shown(provider: Provider, hook: Hook, answer: Answer) -> dict[str, Any]:
    return {
        "trigger": None,
        "event": None,
        "decision": None,
        "result": Case.IGNORED.value,
        "goes_on": provider.goes_on(hook, answer),
        "answer": {"status": answer.status, "body": answer.json},
        "dropped": [],
        "actions": [],
    }
