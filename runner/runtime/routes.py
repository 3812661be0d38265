"""`/runtime/v1`: what identity platforms call."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, StreamingResponse

from runner.http.answer_types import TriggerId
from runner.http.auth.caller import Caller, check_scopes, needs
from runner.http.cursor_pagination import Cursor
from runner.http.described import operation_id, refusals
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.json_body import Members
from runner.http.queries import Absent
from runner.http.routing import RuntimeRoute
from runner.http.service import ApiService
from runner.jobs.event_streams import EventIdError
from runner.jobs.queue import JobQueue
from runner.model.caps import MAX_CURSOR
from runner.model.errors import FlowError, ResumeError
from runner.model.outcome import FlowOutcome
from runner.records.recorder import Recorder
from runner.records.store import RecordStore
from runner.records.subjects import MAX_SUBJECT, subject_hash, tenant_key
from runner.runtime import answers
from runner.runtime.entities import (
    ProviderDisabledError,
    UnknownActionError,
    UnknownSubjectTokenTypeError,
)
from runner.runtime.flows import Flows
from runner.runtime.invocation import AnsweredElsewhereError
from runner.runtime.log_hub import Hub, TooManyReadersError
from runner.runtime.records import executions
from runner.runtime.records.executions import Filters
from runner.runtime.records.idempotency import Idempotency, KeyReusedError, Slot, StoredResponse
from runner.runtime.schemas import Accepted, AcceptedEvent, InvokeBody, InvokeHeaders, ResumeBody
from runner.runtime.server_timing import HEADER, ServerTiming, asked
from runner.store import KeyRing, Store
from runner.workers.parent.requests import TooBusyError
from triggers import EventError, UnknownTriggerError

_HEARTBEAT_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 1.0
"""How long a stream may be open after the service was told to stop, or after its session has ended."""
_MAX_PAGE: Final = 100_000
_DATA: Final = "read:execution_data"
_OUTCOME: Final = "The outcome of the flow."

router = APIRouter(
    prefix="/runtime/v1",
    route_class=RuntimeRoute,
    tags=["runtime"],
    generate_unique_id_function=lambda route: f"runtime_{operation_id(route)}",
)


@dataclass(frozen=True)
class Runtime:
    """Dependencies of the routes; `app.state.runtime`."""

    store: Store
    flows: Flows
    idempotency: Idempotency
    queue: JobQueue
    hub: Hub
    keys: Callable[[], KeyRing]
    recorder: Recorder
    records: RecordStore


async def current_runtime(request: Request) -> Runtime:
    """Async, because FastAPI runs other dependencies in threads, which costs more than all it does."""
    found: Runtime = request.app.state.runtime
    return found


Here = Annotated[Runtime, Depends(current_runtime)]
Invoker = Annotated[Caller[ApiService], needs("invoke:triggers")]
ExecutionReader = Annotated[Caller[ApiService], needs("read:executions")]
LogReader = Annotated[Caller[ApiService], needs("read:logs")]
JobManager = Annotated[Caller[ApiService], needs("manage:jobs")]
Page = Annotated[int, Query(ge=0, le=_MAX_PAGE)]
PerPage = Annotated[int, Query(ge=1, le=100)]
After = Annotated[
    str | Absent, Query(min_length=1, max_length=MAX_CURSOR, description="`next` of the page before.")
]


@router.post(
    "/triggers/{trigger_id}/invoke",
    response_model=FlowOutcome,
    response_description=_OUTCOME,
    responses={
        202: {
            "model": Accepted | AcceptedEvent,
            "description": "The event is stored, and its Actions run later.",
        },
        **refusals(409, 422),
    },
)
async def invoke(
    request: Request,
    trigger_id: TriggerId,
    body: InvokeBody,
    caller: Invoker,
    runtime: Here,
    headers: Annotated[InvokeHeaders, Header()],
) -> Response:
    """Run the Actions bound to a trigger on an event.

    Asynchronous triggers are answered with 202 once the event is stored. The same `Idempotency-Key` with the
    same body gets the first answer again for 24 hours.
    """
    value = await request.json()
    event = value.text_of("event") if isinstance(value, Members) else None

    timing = asked(headers.prefer)

    def run(slot: Slot | None) -> Awaitable[StoredResponse]:
        return runtime.flows.invoke(
            caller.tenant,
            trigger_id,
            body,
            event,
            slot=slot,
            traceparent=headers.traceparent,
            timing=timing,
        )

    return _timed(await _once(runtime, request, caller.tenant, headers, run), timing)


async def _once(
    runtime: Runtime,
    request: Request,
    tenant: str,
    headers: InvokeHeaders,
    run: Callable[[Slot | None], Awaitable[StoredResponse]],
) -> Response:
    """The answer of `run`, or the one that the request's key got before. Raises `ApiError`."""
    slot = None
    if headers.idempotency_key is not None:
        try:
            found = await runtime.idempotency.begin(
                tenant, request.url.path, headers.idempotency_key, await request.body()
            )
        except KeyReusedError:
            raise _key_reused() from None
        if isinstance(found, StoredResponse):
            return _answer(found, replayed=True)
        slot = found
    return _answer(await settled(runtime, slot, run(slot)))


async def settled(runtime: Runtime, slot: Slot | None, work: Awaitable[StoredResponse]) -> StoredResponse:
    """The result of `work`, which runs a flow, also for those that wait for the same slot. Raises
    `ApiError`."""
    answer: StoredResponse | None = None
    try:
        answer = await work
    except AnsweredElsewhereError as error:
        answer = error.answer
    except KeyReusedError:  # on another replica, meanwhile
        raise _key_reused() from None
    except _REFUSALS as error:
        raise refusal(error) from None
    finally:
        if slot is not None and answer is None:
            runtime.idempotency.abandon(slot)
        elif slot is not None and answer is not None:
            runtime.idempotency.settle(slot, answer)
    return answer


@router.post(
    "/resume", response_model=FlowOutcome, response_description=_OUTCOME, responses=refusals(404, 410)
)
async def resume(
    request: Request,
    body: ResumeBody,
    caller: Invoker,
    runtime: Here,
    headers: Annotated[InvokeHeaders, Header()],
) -> Response:
    """Go on with a suspended flow. A handle works once.

    The same `Idempotency-Key` with the same body gets the first answer again, when that was lost on its way.
    """

    timing = asked(headers.prefer)

    def run(slot: Slot | None) -> Awaitable[StoredResponse]:
        return runtime.flows.resume(
            caller.tenant, body, slot=slot, traceparent=headers.traceparent, timing=timing
        )

    return _timed(await _once(runtime, request, caller.tenant, headers, run), timing)


@router.get("/executions", response_model=answers.ExecutionItems)
def list_executions(
    caller: ExecutionReader,
    runtime: Here,
    trigger: Annotated[str | Absent, Query(max_length=64)] = None,
    action: Annotated[str | Absent, Query(max_length=255)] = None,
    status: Annotated[str | Absent, Query(max_length=32)] = None,
    decision: Annotated[str | Absent, Query(max_length=32)] = None,
    since: Annotated[datetime | Absent, Query(alias="from")] = None,
    until: Annotated[datetime | Absent, Query(alias="to")] = None,
    user: Annotated[
        str | Absent,
        Query(
            min_length=1,
            max_length=MAX_SUBJECT,
            description="Id of a user: those about him that were recorded. Needs `read:execution_data` too.",
        ),
    ] = None,
    page: Page = 0,
    per_page: PerPage = 20,
    after: After = None,
) -> Response:
    """Executions, the newest first; a page past the end is empty.

    A page ends early when what its executions wrote takes more than 4 MiB. `next` is there while there are
    more: as `after` it asks for those, and `page` means nothing then.
    """
    for name, value in (("from", since), ("to", until)):
        if value is not None and value.tzinfo is None:
            raise bad_request(
                f"Query validation error: {name} needs a time zone, such as Z.", "invalid_query_string"
            )
    subject = None
    if user is not None:
        check_scopes(caller.principal, [_DATA])
        subject = subject_hash(tenant_key(runtime.store, runtime.keys(), caller.tenant), user)
    filters = Filters(trigger, action, status, decision, since, until, subject)
    with runtime.store.read() as session:
        start = None if after is None else Cursor.of(after, "after")
        found = executions.list_executions(session, caller.tenant, filters, page, per_page, start)
    following = {} if found.following is None else {"next": str(found.following)}
    return JSONResponse({"executions": found.items, "page": page, "per_page": per_page, **following})


@router.get("/executions/{execution_id}", response_model=answers.StoredExecution)
def get_execution(execution_id: str, caller: ExecutionReader, runtime: Here) -> Response:
    """One execution with its last outcome and its jobs."""
    with runtime.store.read() as session:
        found = executions.get_execution(session, caller.tenant, execution_id)
    if found is None:
        raise not_found("execution")
    text = found.pop("outcome_json")
    return JSONResponse({**found, "outcome": None if text is None else json.loads(text)})


class _EventStream(StreamingResponse):
    media_type = "text/event-stream"


@router.get(
    "/logs/stream",
    response_class=_EventStream,
    response_description="Server-sent events: `id` is an execution's id, `data` the execution as JSON "
    "(`ExecutionItem`). Lines that begin with a colon are comments.",
)
async def stream_logs(
    request: Request,
    caller: LogReader,
    runtime: Here,
    action: Annotated[str | Absent, Query(max_length=255)] = None,
) -> Response:
    """Executions as they end, with their console output, as server-sent events."""
    stream = _events(request, caller, runtime, action)
    try:
        first = await anext(stream)
    except TooManyReadersError:
        raise ApiError(
            429, "Too many log streams are open.", "too_many_streams", headers={"Retry-After": "5"}
        ) from None

    async def chunks() -> AsyncIterator[str]:
        yield first
        async for chunk in stream:
            yield chunk

    return _EventStream(chunks(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


@router.get("/jobs", response_model=answers.JobItems)
def list_jobs(
    caller: JobManager,
    runtime: Here,
    state: Annotated[str, Query(pattern="^(ready|running|done|dead)$")] = "dead",
    page: Page = 0,
    per_page: PerPage = 20,
) -> Response:
    """Asynchronous work by state; `dead` is what has no attempt left."""
    with runtime.store.read() as session:
        found = executions.list_jobs(session, caller.tenant, state, page, per_page)
    return JSONResponse({"jobs": found, "page": page, "per_page": per_page})


@router.post("/jobs/{job_id}/rerun", status_code=202, response_model=answers.Rerun)
async def rerun_job(job_id: str, caller: JobManager, runtime: Here) -> Response:
    """Run a dead letter again, with all its attempts, under the same execution id."""

    def revive() -> bool:
        with runtime.store.begin() as session:
            return runtime.queue.revive(session, caller.tenant, job_id)

    if not await run_in_threadpool(revive):
        raise not_found("dead letter")
    return JSONResponse({"id": job_id, "state": "ready"}, 202)


async def _events(
    request: Request, caller: Caller[ApiService], runtime: Runtime, action: str | None
) -> AsyncIterator[str]:
    """The stream: a comment at once, so that the client sees it is open, then items and heartbeats."""
    async with runtime.hub.reader(caller.tenant) as reader:
        yield ": open\n\n"
        quiet, looked = 0.0, time.monotonic()
        while not await request.is_disconnected() and not request.app.state.stopping:
            if caller.principal.session_id and time.monotonic() - looked >= _LOOK_SECONDS:
                if not await run_in_threadpool(caller.service.sessions.is_open, caller.principal):
                    return
                looked = time.monotonic()
            shown = await reader.next(_LOOK_SECONDS)
            quiet = 0.0 if shown is not None else quiet + _LOOK_SECONDS
            if reader.lost:
                yield f": {reader.lost} executions were left out\n\n"
                reader.lost = 0
            if shown is None:
                if quiet >= _HEARTBEAT_SECONDS:
                    quiet = 0.0
                    yield ": still here\n\n"
            elif action is None or any(result["action_name"] == action for result in shown.item["results"]):
                yield f"id: {shown.item['id']}\ndata: {shown.text}\n\n"


_REFUSALS: Final = (
    UnknownTriggerError,
    EventError,
    EventIdError,
    UnknownActionError,
    FlowError,
    ResumeError,
    TooBusyError,
)


_RESUME_STATUS: Final = {"unknown_handle": 404, "handle_used": 410, "handle_expired": 410}


def refusal(error: Exception) -> ApiError:
    """The answer to a request that cannot be run; nothing ran."""
    if isinstance(error, UnknownTriggerError):
        return ApiError(404, str(error), "unknown_trigger")
    if isinstance(error, EventError):
        problems = "; ".join(str(problem) for problem in error.problems[:5])
        return ApiError(400, f"The event does not fit the trigger: {problems}", "invalid_event")
    if isinstance(error, EventIdError):
        return bad_request(f"The event does not fit the trigger: {error}", "invalid_event")
    if isinstance(error, TooBusyError):
        return ApiError(429, f"{error}.", "too_busy", headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, ResumeError):
        message = f"{error.message}. {error.next_step}".strip()
        return ApiError(_RESUME_STATUS.get(error.code, 400), message, error.code)
    if isinstance(error, FlowError):
        return ApiError(400, error.message, error.code)
    if isinstance(error, ProviderDisabledError):
        return ApiError(409, f"{error}.", "provider_disabled")
    if isinstance(error, UnknownSubjectTokenTypeError):
        return bad_request(f"{error}.", "unknown_subject_token_type")
    return bad_request(f"Payload validation error: {error}.", "invalid_body")


def _key_reused() -> ApiError:
    return ApiError(422, "This Idempotency-Key came with another body before.", "idempotency_key_reused")


def _timed(response: Response, timing: ServerTiming | None) -> Response:
    if timing is not None:
        response.headers[HEADER] = timing.header()
    return response


def _answer(answer: StoredResponse, *, replayed: bool = False) -> Response:
    headers = {"Idempotency-Replayed": "true"} if replayed else {}
    return Response(answer.text, answer.status, headers, "application/json")
