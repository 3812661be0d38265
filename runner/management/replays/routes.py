"""`POST /api/v2/actions/executions/{id}/replay`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final, Literal

from fastapi import Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from runner.http.auth.caller import needs
from runner.http.described import refusals
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.kept_records import KeptRecords, plain_reason
from runner.http.queries import Absent
from runner.management.actions.draft_tests import built_draft, too_busy
from runner.management.actions.routes import WHAT
from runner.management.base.context import Caller, find, management_router
from runner.management.base.interfaces import BusyError, LostRunError
from runner.management.replays import schemas
from runner.management.shadows.candidates import Candidate, Flow, Flows, GoneError, version_of
from runner.model.caps import MAX_REVEAL_REASON
from runner.model.errors import InputError
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.shadow.leg import LegShadow
from runner.store.tables.models import ActionRow, ActionVersionRow
from sandbox.port.journal import Journal, JournalError

router: Final = management_router("Executions")
_PATIENCE: Final = 15.0
"""Seconds that a replay waits for its turn behind logins."""
Replayer = Annotated[Caller, needs("read:execution_data", "create:actions")]
Reason = Annotated[str | Absent, Field(max_length=MAX_REVEAL_REASON)]


@router.post(
    "/actions/executions/{execution_id}/replay",
    summary="Replay an execution",
    response_model=schemas.Replayed,
    responses=refusals(409, 410),
)
async def replay_execution(
    caller: Replayer,
    execution_id: str,
    body: schemas.ReplayExecution,
    form: Annotated[
        Literal["redacted", "plain"] | Absent,
        Query(description="`plain` needs the scope `reveal:execution_data` and a reason, and is audited."),
    ] = None,
    reason: Annotated[Reason, Query(description="Why the plain form is run.")] = None,
    reveal_reason: Annotated[Reason, Header(alias="Reveal-Reason", description="The same.")] = None,
) -> Response:
    """The recorded execution runs again, in a worker: every call is answered from the record, nothing is sent
    and nothing applied. A candidate takes the place of the Action that ran, and `answers` change what the
    record says. Runs on the redacted form, unless a reason asks for the plain one. (Ours.)"""
    why = plain_reason(form, reason, reveal_reason)
    return await caller.service.tests.run(caller.tenant, lambda: _replay(caller, execution_id, body, why))


def _replay(caller: Caller, execution_id: str, body: schemas.ReplayExecution, why: str | None) -> Response:
    service = caller.service
    kept = KeptRecords(service.store, lambda: service.keys.ring, service.settings.record_days)
    record = kept.shown(caller.principal, execution_id, why)
    others = [
        OtherAnswer(leg=item.leg, execution=item.execution, entry=item.entry, value=item.answer)
        for item in body.answers
    ]
    flows = Flows(service.store, lambda: service.keys.ring, caller.tenant, _candidate(caller, body, record))
    changed = body.candidate is not None or bool(others)
    legs = [_leg(caller, flows, leg, others, changed=changed) for leg in _chosen(record, others)]
    answer = {
        "execution_id": record.execution_id,
        "form": record.form,
        "what_if": bool(others),
        "same": not any(leg["differences"] or leg["unanswered"] for leg in legs),
        "legs": legs,
    }
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


def _chosen(record: ExecutionRecord, others: list[OtherAnswer]) -> list[FlowRecord]:
    """The legs to run. What follows a leg with other answers would follow from another leg."""
    wanted = {item.leg for item in others}
    unknown = wanted - {leg.number for leg in record.legs}
    if unknown:
        raise bad_request(f"The record has no leg {min(unknown)}.", "invalid_answer")
    return [leg for leg in record.legs if not wanted or leg.number in wanted]


def _candidate(caller: Caller, body: schemas.ReplayExecution, record: ExecutionRecord) -> Candidate | None:
    given = body.candidate
    if given is None:
        return None
    if given.version_id is None:
        found = built_draft(caller, given.action_id)
    else:
        with caller.service.store.read() as session:
            action = find(session, ActionRow, caller.tenant, given.action_id, WHAT)
            version = find(session, ActionVersionRow, caller.tenant, given.version_id, "version")
            if version.action_id != action.id:
                raise not_found("version")
            found = version_of(session, caller.service.keys.ring, action, version)
    if found.trigger != record.trigger:
        raise bad_request(
            f"The Action is for {found.trigger}, and the execution is of {record.trigger}.", "other_trigger"
        )
    return found


def _leg(
    caller: Caller, flows: Flows, leg: FlowRecord, others: list[OtherAnswer], *, changed: bool
) -> dict[str, Any]:
    """What is `changed` is compared with what ran then, run again beside it. Raises `ApiError`."""
    try:
        flow = flows.of(leg)
        mine = [item for item in others if item.leg == leg.number]
        found = _run(caller, leg, flow, mine if changed else None)
    except GoneError as error:
        raise ApiError(
            409, f"What the execution ran is not kept any more: {error}.", "replay_impossible"
        ) from None
    except InputError as error:
        raise bad_request(error.message, error.code) from None
    except LostRunError as error:
        raise ApiError(409, f"The replay did not end: {error}", "replay_impossible") from None
    return _told(leg.number, found)


def _run(caller: Caller, leg: FlowRecord, flow: Flow, others: list[OtherAnswer] | None) -> LegShadow:
    control = () if others is None else flow.control
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return caller.service.flows.replay(caller.tenant, leg, flow.actions, control, others or ())
        except BusyError as error:
            if time.monotonic() + error.retry_after > until:
                raise too_busy(error) from None
            time.sleep(error.retry_after)


def _told(number: int, found: LegShadow) -> dict[str, Any]:
    """As it is answered; a worker's journals are looked at first. Raises `LostRunError`."""
    run = found.run
    assert run is not None, "it was asked for"
    value: dict[str, Any] = {"number": number}
    if found.skipped is not None:
        value["incomparable"] = found.skipped
    value["differences"] = [
        {
            "cause": item.cause,
            "path": item.path,
            "recorded": item.recorded,
            "now": item.now,
            "proof": item.proof,
        }
        for item in found.differences
    ]
    value["unanswered"] = [{"action": item.action, "what": item.what} for item in run.unanswered]
    value["outcome"] = run.outcome
    value["executions"] = [
        {"action": item.action, "journal": _checked(item.journal)} for item in run.executions
    ]
    return value


def _checked(journal: Any) -> dict[str, Any]:
    try:
        return Journal.from_data(journal).to_data()
    except JournalError as error:
        raise ApiError(409, f"The replay did not end: {error}", "replay_impossible") from None
