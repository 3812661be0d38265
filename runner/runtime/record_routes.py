"""`/runtime/v1/executions/{id}/record` and `/runtime/v1/subjects/{user_id}`: seeing and erasing records."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Count, closed
from runner.http.auth.caller import Caller, needs
from runner.http.described import operation_id, refusals
from runner.http.kept_records import WAIT_SECONDS, KeptRecords, plain_reason
from runner.http.queries import Absent
from runner.http.routing import RuntimeRoute
from runner.http.service import ApiService
from runner.model.caps import MAX_REVEAL_REASON
from runner.records.erasure import erase_subject
from runner.records.subjects import MAX_SUBJECT
from runner.replay.execution_record import ExecutionRecord
from runner.runtime.routes import Here

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
    why = plain_reason(form, reason, reveal_reason)
    kept = KeptRecords(runtime.store, runtime.keys, runtime.recorder.limits.days, runtime.recorder.settled)
    record = kept.shown(caller.principal, execution_id, why)
    return Response(record.to_json(), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.delete("/subjects/{user_id:path}", response_model=ErasedSubject)
def erase_subject_records(
    user_id: Annotated[str, Path(min_length=1, max_length=MAX_SUBJECT)], caller: DataEraser, runtime: Here
) -> Response:
    """Erase the records that are about a user, for good. Their executions, and those without a record whose
    outcome or console output names the id, keep times, versions and decision, and lose the rest."""
    runtime.recorder.settled(WAIT_SECONDS)
    done = erase_subject(runtime.store, runtime.keys(), caller.tenant, user_id, caller.principal.client_id)
    return JSONResponse({"executions": done.executions, "records": done.records})
