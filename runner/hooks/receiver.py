"""From a request of an identity provider to the answer that it gets: verify, run, answer in its own words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from runner.hooks.directory import Directory
from runner.hooks.key_sets import KeySets
from runner.hooks.metrics import HookMetrics
from runner.hooks.model import (
    Answer,
    Case,
    Configured,
    Hook,
    Incoming,
    Origins,
    Payload,
    Provider,
    RefusedError,
    Result,
    one_header,
    unsigned,
)
from runner.hooks.verdict import TOO_LONG, facts_of, result_of
from runner.http.errors import ApiError
from runner.http.json_body import BodyError, parse_body
from runner.http.routing import SMALL_BYTES, read_capped
from runner.http.service import ApiService
from runner.model.outcome import FlowOutcome
from runner.runtime.entities import UnknownActionError
from runner.runtime.invocation import AnsweredElsewhereError, Origin
from runner.runtime.records.idempotency import MAX_KEY, KeyReusedError, Slot, StoredResponse
from runner.runtime.routes import Runtime
from runner.runtime.schemas import InvokeBody
from runner.store import SealError
from runner.store.database.faults import is_unavailable
from runner.workers.parent.requests import TooBusyError
from triggers import EventError

_log: Final = structlog.get_logger("actionbox.hooks")
_MARGIN_SECONDS: Final = 0.3
"""Beyond a hook's budget, until it is answered even if nothing could be written down."""
_FLOW_SECONDS: Final = 0.2
"""Beyond the budget, until a flow that waits for something is given up, and that is written down."""
_RETRY_SECONDS: Final = 1
_REPLAYED: Final = "replayed"
_MAX_TRACEPARENT: Final = 128


@dataclass(slots=True)
class _Told:
    """What metrics and log say of a request. `result`: a `Case`, or `replayed` for an answer that was given
    before."""

    result: str = _REPLAYED
    dropped: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Call:
    """One verified request. `text`: the payload's, which is the same when the request is sent again; its
    envelope need not be."""

    provider: Provider
    hook: Hook
    configured: Configured
    incoming: Incoming
    payload: Payload
    text: bytes
    told: _Told = field(default_factory=_Told)


class Receiver:
    """Answers requests. For one event loop."""

    def __init__(
        self,
        runtime: Runtime,
        directory: Directory,
        keys: KeySets,
        metrics: HookMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._runtime = runtime
        self._directory = directory
        self._keys = keys
        self._metrics = metrics
        self._clock = clock

    async def answer(self, request: Request, service: ApiService, provider: Provider, hook: Hook) -> Answer:
        """The answer to a request, whatever happens."""
        began = time.perf_counter()
        payload: Payload = {}
        told, seconds = _Told(), None
        try:
            call = await self._verified(request, service, provider, hook)
            payload, told = call.payload, call.told
            seconds = 0.0
            request.state.log = {"tenant": call.configured.tenant, "hook": f"{provider.name}/{hook.name}"}
            answer = await self._answered(request, service, call, began)
        except RefusedError as error:
            told.result = Case.REFUSED
            result = Result(Case.REFUSED, error.message, status=error.status)
            answer = provider.response_of(hook, payload, result)
        except Exception as error:  # noqa: BLE001 - nothing of it may look like leave to go on
            told.result = Case.UNAVAILABLE
            _log_fault(f"{provider.name}/{hook.name}", error)
            result = Result(Case.UNAVAILABLE, "The service cannot answer now.", retry_after=_RETRY_SECONDS)
            answer = provider.response_of(hook, payload, result)
        if seconds is not None:
            seconds = time.perf_counter() - began
            request.state.log |= {"result": str(told.result), "dropped": len(told.dropped)}
        self._metrics.answered(provider.name, hook.name, str(told.result), seconds)
        self._metrics.dropped(provider.name, hook.name, told.dropped)
        return answer

    async def _verified(self, request: Request, service: ApiService, provider: Provider, hook: Hook) -> Call:
        """Raises `RefusedError`; nothing of the body was read if a proof is missing."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        if provider.proofs and not any(one_header(headers, name) for name in provider.proofs):
            raise unsigned()
        found = await self._directory.find(provider, request.path_params["tenant"], hook.name)
        if found is None:
            raise unsigned()
        if (one_header(headers, "content-encoding") or "identity").lower() != "identity":
            raise RefusedError(415, "Compressed request bodies are not taken.")
        incoming = Incoming(headers, await _read(service, request))
        text = await provider.verify(incoming, found, Origins(self._clock(), self._keys))
        if not found.enabled:
            raise RefusedError(403, "This hook is disabled.")
        return Call(provider, hook, found, incoming, await _parsed(text), text)

    async def _answered(self, request: Request, service: ApiService, call: Call, began: float) -> Answer:
        """`began`: of the request, by `time.perf_counter`; its verification may have asked for keys."""
        tenant = call.configured.tenant
        allowance = service.limiter.take(tenant)
        if allowance.retry_after:
            return self._told(
                call, Result(Case.BUSY, "Too many requests.", retry_after=allowance.retry_after)
            )
        trigger = call.hook.trigger_of(call.payload)
        if trigger is None:
            return self._told(call, Result(Case.IGNORED))
        event = call.provider.event_of(call.hook, call.payload, trigger, call.configured.defaults, tenant)
        left = call.configured.budget_ms / 1000 - (time.perf_counter() - began)
        try:
            with service.requests.taken(tenant):
                async with asyncio.timeout(left + _MARGIN_SECONDS):
                    found = await self._run(call, trigger, event, request.headers.get("traceparent"), left)
        except TimeoutError:
            return self._told(call, Result(Case.TIMED_OUT, TOO_LONG))
        except TooBusyError as error:
            return self._told(call, Result(Case.BUSY, "Too much is running.", retry_after=error.retry_after))
        except ApiError as error:
            if error.status_code != 429:
                raise
            return self._told(call, Result(Case.BUSY, error.message, retry_after=_RETRY_SECONDS))
        except EventError as error:
            problem = str(error.problems[0]) if error.problems else "it is not whole"
            raise RefusedError(422, f"The payload makes no event of {trigger}: {problem}.") from None
        except UnknownActionError as error:
            return self._told(call, Result(Case.FAILED, f"{error}."))
        except KeyReusedError:
            raise RefusedError(409, "The id of this request came with another payload before.") from None
        return Answer(found.status, found.text.encode(), {"Content-Type": "application/json"})

    async def _run(
        self, call: Call, trigger: str, event: dict[str, Any], traceparent: str | None, left: float
    ) -> StoredResponse:
        """The answer of the flow, or the one that the same request got before. `left`: seconds of the
        budget."""
        until = time.perf_counter() + left
        if traceparent is not None and len(traceparent) > _MAX_TRACEPARENT:
            traceparent = None

        def work(slot: Slot | None) -> Awaitable[StoredResponse]:
            return self._runtime.flows.invoke(
                call.configured.tenant,
                trigger,
                InvokeBody.model_construct(event=event),
                slot=slot,
                traceparent=traceparent,
                origin=self._origin(call, until - time.perf_counter()),
            )

        key = call.hook.key(call.payload, call.incoming)
        if key is None:
            return await work(None)
        return await self._once(call, key[:MAX_KEY], work)

    async def _once(
        self, call: Call, key: str, work: Callable[[Slot | None], Awaitable[StoredResponse]]
    ) -> StoredResponse:
        idempotency, tenant = self._runtime.idempotency, call.configured.tenant
        place = f"hooks/{call.provider.name}/{call.hook.name}"
        slot = await idempotency.begin(tenant, place, key, call.text)
        if isinstance(slot, StoredResponse):
            return slot
        answer: StoredResponse | None = None
        try:
            answer = await work(slot)
        except AnsweredElsewhereError as error:
            answer = error.answer
        finally:
            if answer is None:
                idempotency.abandon(slot)
            else:
                idempotency.settle(slot, answer)
        return answer

    def _origin(self, call: Call, left: float) -> Origin:
        hook, payload, deny = call.hook, call.payload, call.configured.deny_uncarried

        def answer(outcome: FlowOutcome) -> StoredResponse:
            return _stored(self._told(call, result_of(hook, payload, outcome, deny_uncarried=deny)))

        def facts(outcome: FlowOutcome) -> dict[str, Any]:
            found = facts_of(hook, payload, outcome, deny_uncarried=deny)
            call.told.dropped = found.get("dropped", [])
            return found

        return Origin(
            provider=call.provider.name,
            hook=hook.name,
            budget_ms=max(1, int(left * 1000)),
            seconds=left + _FLOW_SECONDS,
            answer=answer,
            accepted=lambda: _stored(self._told(call, Result(Case.ACCEPTED))),
            facts=facts,
        )

    def _told(self, call: Call, result: Result) -> Answer:
        call.told.result = result.case
        return call.provider.response_of(call.hook, call.payload, result)


def _stored(answer: Answer) -> StoredResponse:
    return StoredResponse(answer.status, answer.body.decode())


def _log_fault(hook: str, error: Exception) -> None:
    if isinstance(error, SealError) or (isinstance(error, SQLAlchemyError) and is_unavailable(error)):
        _log.error("a hook cannot be answered now", hook=hook, reason=str(error))
    else:
        _log.error("fault", hook=hook, exc_info=error)


async def _read(service: ApiService, request: Request) -> bytes:
    try:
        return await read_capped(service, request)
    except ApiError as error:
        raise RefusedError(error.status_code, error.message) from None


async def _parsed(text: bytes) -> dict[str, Any]:
    try:
        value = parse_body(text) if len(text) <= SMALL_BYTES else await run_in_threadpool(parse_body, text)
    except BodyError as error:
        raise RefusedError(400, f"The payload cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "The payload is not an object.")
    return dict(value)
