"""`/runtime/v1/executions/{id}/record` and `/runtime/v1/subjects/{user_id}`: seeing and erasing records."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

import structlog
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Count, closed
from runner.http.auth.caller import Caller, check_scopes, needs
from runner.http.described import operation_id, refusals
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.queries import Absent
from runner.http.routing import RuntimeRoute
from runner.http.service import ApiService
from runner.model.caps import MAX_REVEAL_REASON
from runner.records.absence import absence
from runner.records.erasure import erase_subject
from runner.records.forms import PSEUDONYMS, redacted_form
from runner.records.policy import days_of
from runner.records.store import DamagedRecordError, rows_of
from runner.records.subjects import MAX_SUBJECT, tenant_key
from runner.replay.execution_record import ExecutionRecord
from runner.runtime.routes import Here, Runtime
from runner.store import audit
from runner.store.tables.columns import now
from runner.store.tables.models import Tenant
from runner.store.tables.runs import ExecutionRow

_log: Final = structlog.get_logger("actionbox.records")
_REVEAL: Final = "reveal:execution_data"
_ON_ITS_WAY: Final = timedelta(minutes=1)
_WAIT_SECONDS: Final = 5.0
"""For records of this process that are not stored yet."""

router = APIRouter(
    prefix="/runtime/v1",
    route_class=RuntimeRoute,
    tags=["runtime"],
    generate_unique_id_function=lambda route: f"runtime_{operation_id(route)}",
)
DataReader = Annotated[Caller[ApiService], needs("read:execution_data")]
DataEraser = Annotated[Caller[ApiService], needs("delete:execution_data")]
Reason = Annotated[str | Absent, Field(max_length=MAX_REVEAL_REASON)]


@closed
class ErasedSubject(TypedDict):
    """How many executions had a record about the user, and of how many legs."""

    executions: Count
    records: Count


@router.get(
    "/executions/{execution_id}/record",
    response_model=ExecutionRecord,
    response_description="Everything that the execution's Actions saw and did, leg by leg.",
    responses=refusals(410),
)
def get_execution_record(
    execution_id: str,
    caller: DataReader,
    runtime: Here,
    form: Annotated[
        Literal["redacted", "plain"] | Absent,
        Query(description="`plain` needs the scope `reveal:execution_data` and a reason, and is audited."),
    ] = None,
    reason: Annotated[Reason, Query(description="Why the plain form is looked at.")] = None,
    reveal_reason: Annotated[Reason, Header(alias="Reveal-Reason", description="The same.")] = None,
) -> Response:
    """The record of an execution, for a replay. Personal data is replaced by pseudonyms, unless a reason asks
    for the plain form.

    404 says by which policy a known execution was not kept, 410 why its record is gone.
    """
    why = _reason(form, reason, reveal_reason)
    if why is not None:
        check_scopes(caller.principal, [_REVEAL])
    record = _found(caller.tenant, execution_id, runtime)
    if why is None:
        key = tenant_key(runtime.store, runtime.keys(), caller.tenant, PSEUDONYMS)
        return _json(redacted_form(record, key))
    with runtime.store.begin() as session:
        audit.note(
            session, caller.tenant, caller.principal.client_id, "record.reveal", execution_id, reason=why
        )
    return _json(record)


@router.delete("/subjects/{user_id:path}", response_model=ErasedSubject)
def erase_subject_records(
    user_id: Annotated[str, Path(min_length=1, max_length=MAX_SUBJECT)], caller: DataEraser, runtime: Here
) -> Response:
    """Erase the records that are about a user, for good. Their executions, and those without a record whose
    outcome or console output names the id, keep times, versions and decision, and lose the rest."""
    runtime.recorder.settled(_WAIT_SECONDS)
    done = erase_subject(runtime.store, runtime.keys(), caller.tenant, user_id, caller.principal.client_id)
    return JSONResponse({"executions": done.executions, "records": done.records})


def _json(record: ExecutionRecord) -> Response:
    return Response(record.to_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


def _reason(form: str | None, *given: str | None) -> str | None:
    """Why the plain form is asked for; None for the redacted one. Raises `ApiError` 400."""
    reasons = [text.strip() for text in given if text is not None]
    if not reasons and form != "plain":
        return None
    if len(reasons) != 1 or not reasons[0]:
        raise bad_request(
            "The plain form of a record is given for a reason: send it once, as the parameter `reason` or "
            "the header Reveal-Reason, and not blank.",
            "reason_required",
        )
    if form == "redacted":
        raise bad_request("A reason is given, and the redacted form needs none.", "invalid_query_string")
    return reasons[0]


def _found(tenant: str, execution_id: str, runtime: Runtime) -> ExecutionRecord:
    """Raises `ApiError` 404, 410 and 500."""
    with runtime.store.read() as session:
        execution = session.get(ExecutionRow, (tenant, execution_id))
    if execution is not None and now() - execution.updated_at < _ON_ITS_WAY:
        runtime.recorder.settled(_WAIT_SECONDS)
    with runtime.store.read() as session:
        execution = session.get(ExecutionRow, (tenant, execution_id))
        try:
            record = runtime.records.read(session, tenant, execution_id)
        except DamagedRecordError as error:
            _log.error("a record is damaged", tenant=tenant, execution=execution_id, reason=str(error))
            raise ApiError(500, "The stored record of this execution is damaged.", "record_damaged") from None
        rows = rows_of(session, tenant, execution_id)
        days = days_of(_chosen(session.get(Tenant, tenant)), runtime.recorder.limits.days)
    if record is not None:
        return record
    if execution is None:
        raise not_found("execution")
    why = absence(execution, rows, days, now())
    raise ApiError(410 if why.was_there else 404, why.message, why.code)


def _chosen(tenant: Tenant | None) -> dict[str, object]:
    return {} if tenant is None else tenant.settings
