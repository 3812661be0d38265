"""Running a draft on an event that the author sends; no user is touched."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Response

from runner.http.errors import ApiError, bad_request, invalid_body
from runner.management.actions.routes import WHAT
from runner.management.actions.serializers import BUILT
from runner.management.base import responses
from runner.management.base.context import ActionCreator, Caller, answer, find, management_router
from runner.management.base.interfaces import BusyError
from runner.management.base.schemas import TestAction
from runner.management.shadows.candidates import Candidate, draft_of
from runner.model.outcome import FlowOutcome
from runner.store.tables.models import ActionRow
from runner.testing.partial_event import completed
from sandbox.core.failure import Failure
from triggers import EventError, get_trigger

router: Final = management_router("Actions")
_PATIENCE: Final = 15.0
"""Seconds that a test waits for the draft's build."""
_PAUSE: Final = 0.05
_SETTLED: Final = frozenset({BUILT, "failed"})


@router.post(
    "/actions/actions/{action_id}/test", summary="Test the draft", response_model=responses.TestResult
)
async def test_action(caller: ActionCreator, action_id: str, body: TestAction) -> Response:
    """`payload.event` is the event (or the payload itself is). One that is not whole is laid over the
    trigger's example; `payload.filled_in` of the answer names the members that the example gave. An Action
    that fails is a 200 with `payload.error`."""
    return await caller.service.tests.run(caller.tenant, lambda: _test(caller, action_id, body))


def _test(caller: Caller, action_id: str, body: TestAction) -> Response:
    draft = built_draft(caller, action_id)
    trigger_id, action = draft.trigger, draft.action
    event = completed(get_trigger(trigger_id), _event(body.payload))
    began = time.perf_counter()
    try:
        outcome = caller.service.flows.run_flow(caller.tenant, trigger_id, event.event, [action])
    except EventError as error:
        raise _wrong_event(error, body.payload) from None
    except BusyError as error:
        raise too_busy(error) from None
    payload = _payload(outcome, (time.perf_counter() - began) * 1000)
    if event.filled:
        payload["filled_in"] = list(event.filled)
    return answer({"payload": payload})


test_action.__test__ = False  # type: ignore[attr-defined]


def _event(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = payload.get("event", payload)
    if not isinstance(inner, dict):
        raise invalid_body("'Expected type object' at $.payload.event.")
    return inner


def _wrong_event(error: EventError, payload: Mapping[str, Any]) -> ApiError:
    problem = str(error.problems[0]) if error.problems else str(error)
    place = "$.payload.event" if "event" in payload else "$.payload"
    return invalid_body(f"{place}: {problem}.")


def too_busy(error: BusyError) -> ApiError:
    """The answer to who would have to wait too long for a worker."""
    return ApiError(429, str(error), "too_many_requests", headers={"Retry-After": str(error.retry_after)})


def built_draft(caller: Caller, action_id: str) -> Candidate:
    """The draft as it would run, once it is built. Raises `ApiError`."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with caller.service.store.read() as session:
            row = find(session, ActionRow, caller.tenant, action_id, WHAT)
            if row.status == BUILT:
                return draft_of(session, caller.service.keys.ring, row)
            if row.status in _SETTLED or time.monotonic() > deadline:
                why = f" {row.errors[0]['msg']}" if row.errors else ""
                raise bad_request(
                    "The action cannot be tested: it must be in the 'built' state, "
                    f"and it is in the {row.status!r} state.{why}"
                )
        time.sleep(_PAUSE)


def _payload(outcome: FlowOutcome, total_ms: float) -> dict[str, Any]:
    """Build the payload: what recorded answers have (`error`, `stats`), and what the draft did."""
    record = outcome.to_dict()
    ran = outcome.actions[0]
    action_ms = round(ran.statistics.wall_ms) if ran.statistics is not None else 0
    value: dict[str, Any] = {
        "decision": record["decision"],
        "effects": record["effects"],
        "logs": record["actions"][0]["logs"],
        "commands": record["actions"][0]["commands"],
        "stats": {
            "total_request_duration_ms": round(total_ms),
            "total_runtime_execution_duration_ms": round(outcome.timing.wall_ms),
            "runtime_processing_duration_ms": max(0, round(outcome.timing.wall_ms) - action_ms),
            "action_duration_ms": action_ms,
            "runtime_external_call_duration_ms": 0,
            "boot_duration_ms": 0,
            "network_duration_ms": max(0, round(total_ms - outcome.timing.wall_ms)),
        },
    }
    if outcome.failure is not None:
        value["error"] = _error(outcome.failure)
        value["failure"] = record["failure"]
    return value


def _error(failure: Failure) -> dict[str, str]:
    """As Node shows an error."""
    name = failure.error_name or failure.code.value
    lines = [f"{name}: {failure.message}"]
    for frame in failure.stack:
        place = f"{frame.file}:{frame.line}{f':{frame.column}' if frame.column else ''}"
        lines.append(f"    at {frame.function or '<anonymous>'} ({place})")
    return {"message": failure.message, "name": name, "stack": "\n".join(lines)}
