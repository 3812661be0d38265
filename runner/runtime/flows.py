"""Invoking and resuming: from an event to an outcome that is on record before anybody is told of it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.jobs import event_streams
from runner.jobs.policy import FLOW, NOTIFICATION, is_asynchronous, policy_of
from runner.jobs.queue import JobQueue
from runner.model.outcome import Decision, FlowOutcome
from runner.model.settings import Settings
from runner.records.policy import DEFAULT, RecordPolicy
from runner.records.recorder import Recorder
from runner.records.states import RecordState
from runner.rollouts.events import RolloutLegs, arms_of, assigned_from
from runner.runtime.binding_cache import BindingCache
from runner.runtime.entities import ProviderDisabledError, entity_of, unknown
from runner.runtime.invocation import (
    AnsweredElsewhereError,
    Invocation,
    LegResult,
    Origin,
    given_up,
    nothing_bound,
    on_arms,
)
from runner.runtime.log_hub import Hub
from runner.runtime.records.execution_records import LegRecord
from runner.runtime.records.group_commit import Change, GroupCommit, Rows, all_of
from runner.runtime.records.idempotency import Idempotency, Slot, StoredResponse
from runner.runtime.records.recording import Recording, flow_policy
from runner.runtime.schemas import Accepted, InvokeBody, ResumeBody, accepted_event
from runner.runtime.server_timing import ServerTiming
from runner.runtime.tracing import context_of, trace_flow
from runner.store.executions import pending_row
from runner.store.resolved_flow import BoundFlow, Pinned
from runner.store.sealed.suspensions import SqlSuspensions, Waiting
from runner.suspension.resume import StoredFlow
from runner.suspension.stores import store_key
from runner.workers.parent.requests import LegCall, LegReply, ResumeCall
from triggers import UnknownTriggerError, get_trigger


class Pool(Protocol):
    """A pool that runs legs: `runner.workers.WorkerPool`."""

    async def run(self, tenant: str, call: LegCall) -> LegReply: ...

    async def resume(self, tenant: str, call: ResumeCall) -> LegReply: ...


class Flows:
    """The runtime plane. For one event loop."""

    def __init__(
        self,
        *,
        bindings: BindingCache,
        pool: Pool,
        suspensions: SqlSuspensions,
        writer: GroupCommit,
        idempotency: Idempotency,
        queue: JobQueue,
        hub: Hub,
        settings: Settings,
        kept: timedelta,
        observe: Callable[[FlowOutcome], None] = lambda _: None,
        recorder: Recorder,
        policy: RecordPolicy = DEFAULT,
        recorded: Callable[[str, str], Change | None] = lambda _tenant, _id: None,
        rollouts: RolloutLegs | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`kept`: how long executions stay. `observe`: told of every outcome. `recorder`: keeps records of
        what Actions did; `policy`: of which executions, where a tenant chose none. `recorded`: what the
        transaction that writes an execution is to do beside, if anything. `rollouts`: keeps what legs leave
        for the counts of rollouts."""
        self._bindings = bindings
        self._pool = pool
        self._suspensions = suspensions
        self._writer = writer
        self._idempotency = idempotency
        self._queue = queue
        self._hub = hub
        self._settings = settings
        self._kept = kept
        self._observe = observe
        self._recorder = recorder
        self._policy = policy
        self._recorded = recorded
        self._rollouts = rollouts or RolloutLegs()
        self._wall = wall

    async def invoke(
        self,
        tenant: str,
        trigger_id: str,
        body: InvokeBody,
        event: bytes | None = None,
        *,
        slot: Slot | None = None,
        traceparent: str | None = None,
        timing: ServerTiming | None = None,
        origin: Origin | None = None,
    ) -> StoredResponse:
        """Run a trigger, or store its event when it runs later. `event`: the body's as JSON text, if it is at
        hand. `timing`: is told the times of its parts. `origin`: the hook that calls, and how it answers.

        Raises:
            UnknownTriggerError, EventError: see `Runner.run`.
            UnknownActionError, TooBusyError.
        """
        trigger = get_trigger(trigger_id)
        if trigger.experimental:
            raise UnknownTriggerError(
                f"{trigger_id} is experimental and not invoked: {trigger.experimental}. Its Actions can be "
                "run with `actionbox run` and tested as drafts"
            )
        invocation = Invocation(tenant, trigger, body, _new_execution_id(), traceparent, event, origin)
        if is_asynchronous(trigger_id):
            trigger.parse_event(body.event)
            if trigger_id == event_streams.TRIGGER and body.action_id is None:
                return await self._accept_event(invocation, slot)
            await self._flow(invocation)
            return await self._accept(invocation, slot)
        with self._writer.expecting():
            result = await self._run_in_time(invocation)
            answer = _answer(invocation, result.outcome)
        await self._record(
            invocation.tenant,
            result,
            invocation.traceparent,
            slot=slot,
            answer=answer,
            again=invocation,
            timing=timing,
        )
        return answer

    async def resume(
        self,
        tenant: str,
        body: ResumeBody,
        *,
        slot: Slot | None = None,
        traceparent: str | None = None,
        timing: ServerTiming | None = None,
    ) -> StoredResponse:
        """Go on with a suspended flow. Raises `ResumeError`, `EventError`, `TooBusyError`."""
        stored, pinned, found = await asyncio.to_thread(self.waiting, tenant, body.handle)
        recording = Recording.further(self._recorder, RecordState.read(found.record), stored.flow)
        call = ResumeCall(
            handle=body.handle,
            request=body.request,
            prompt=body.prompt,
            methods=body.methods,
            enrolled=body.enrolled,
            secrets={
                action.name: values
                for action, values in zip(stored.flow.actions, pinned.secrets, strict=False)
            },
            settings=self._settings,
            record=recording.wish,
            stored=stored,
            keep=False,
        )
        reply = await self._pool.resume(tenant, call)
        versions = on_arms(pinned.versions, assigned_from(found.arms))
        result = LegResult.of(reply, versions, recording)
        answer = StoredResponse(200, result.outcome.to_json())
        await self._record(tenant, result, traceparent, slot=slot, answer=answer, timing=timing)
        return answer

    async def run(self, invocation: Invocation) -> LegResult:
        """Run the flow of `invocation` and write nothing. Raises as `invoke` does."""
        flow = await self._flow(invocation)
        if not flow.actions:
            invocation.trigger.parse_event(invocation.body.event)
            return LegResult(nothing_bound(invocation, self._wall(), self._settings.budget_ms), ())
        recording = Recording.first(
            self._recorder,
            flow_policy(self._policy, flow.record),
            invocation.execution_id,
            invocation.body.event,
            flow.actions,
        )
        call = LegCall(
            trigger=invocation.trigger.id,
            event=invocation.event or invocation.body.event,
            actions=flow.actions,
            execution_id=invocation.execution_id,
            settings=self._settings_of(invocation),
            executed_rules=invocation.body.executed_rules,
            record=recording.wish,
            keep=False,
        )
        reply = await self._pool.run(invocation.tenant, call)
        return LegResult.of(reply, flow.versions, recording)

    async def _run_in_time(self, invocation: Invocation) -> LegResult:
        """Run it; what is not over when its hook has to answer has failed."""
        origin, began = invocation.origin, self._wall()
        if origin is None:
            return await self.run(invocation)
        try:
            async with asyncio.timeout(origin.seconds):
                return await self.run(invocation)
        except TimeoutError:
            return LegResult(given_up(invocation, origin, began), ())

    async def finish(self, invocation: Invocation, result: LegResult, end: Change) -> None:
        """Record the outcome of a job's run together with what `end` does to the job."""

        def ended(session: Session) -> None:
            end(session)
            if invocation.trigger.id == event_streams.TRIGGER:
                event_streams.settle(session, invocation.tenant, invocation.execution_id)

        await self._record(invocation.tenant, result, invocation.traceparent, end=ended)

    async def _flow(self, invocation: Invocation) -> BoundFlow:
        entity = entity_of(invocation.trigger, invocation.body.event, invocation.body.action_id)
        found = self._bindings.peek(invocation.tenant, invocation.trigger.id, entity)
        if found is None:
            found = await asyncio.to_thread(
                self._bindings.get, invocation.tenant, invocation.trigger.id, entity
            )
        if entity is not None and not found.actions:
            raise unknown(entity)
        if found.off:
            raise ProviderDisabledError("The tenant has disabled its own provider: deliver by another one")
        return found.chosen(invocation.body.event)

    def _settings_of(self, invocation: Invocation) -> Settings:
        origin = invocation.origin
        if origin is None or origin.budget_ms >= self._settings.budget_ms:
            return self._settings
        return replace(self._settings, budget_ms=origin.budget_ms)

    async def _accept(self, invocation: Invocation, slot: Slot | None) -> StoredResponse:
        """Store the event and its job: on disk before the caller is told."""
        origin = invocation.origin
        answer = StoredResponse(202, Accepted(execution_id=invocation.execution_id).model_dump_json())
        if origin is not None:
            answer = origin.accepted()

        def change(session: Session) -> None:
            self._queue.put(
                session, invocation.tenant, FLOW, invocation.payload, execution_id=invocation.execution_id
            )
            row = pending_row(
                invocation.tenant,
                invocation.execution_id,
                invocation.trigger.id,
                invocation.traceparent,
                self._kept,
            )
            row.hook = None if origin is None else origin.names
            session.add(row)
            if slot is not None:
                self._idempotency.keep(session, slot, answer)

        await self._write(change, slot)
        return answer

    async def _accept_event(self, invocation: Invocation, slot: Slot | None) -> StoredResponse:
        """Store an event and a job for each stream that wants it. Raises `EventIdError`."""
        event_streams.check_event_id(invocation.body.event)
        answer = StoredResponse(202, "")

        def change(session: Session) -> None:
            nonlocal answer
            wanting = event_streams.subscribed(
                session, invocation.tenant, invocation.body.event["message"]["type"]
            )
            made = [
                event_streams.deliver(
                    session, self._queue, stream, invocation.body.event, self._kept, invocation.traceparent
                )
                for stream in wanting
            ]
            if not made:
                nobody = pending_row(
                    invocation.tenant,
                    invocation.execution_id,
                    invocation.trigger.id,
                    invocation.traceparent,
                    self._kept,
                )
                nobody.status, nobody.decision = "final", Decision.ALLOW.value
                session.add(nobody)
            answer = StoredResponse(202, accepted_event(invocation.execution_id, made).model_dump_json())
            if slot is not None:
                self._idempotency.keep(session, slot, answer)

        try:
            await self._write(change, slot)
        except IntegrityError:  # a stream was deleted in this moment: look again who wants it
            await self._write(change, slot)
        return answer

    async def _record(
        self,
        tenant: str,
        result: LegResult,
        traceparent: str | None,
        *,
        slot: Slot | None = None,
        answer: StoredResponse | None = None,
        again: Invocation | None = None,
        end: Change | None = None,
        timing: ServerTiming | None = None,
    ) -> None:
        """Write a leg's record and everything that belongs to it in one transaction, then show it."""
        began, outcome, versions = time.perf_counter(), result.outcome, result.versions
        self._observe(outcome)
        trace_flow(outcome, context_of(traceparent))
        shown: dict[str, Any] = {}
        kept = result.kept or outcome
        first = again is not None
        origin = None if again is None else again.origin
        text = answer.text if answer is not None and result.kept is None and origin is None else None
        hook = None if origin is None else {**origin.names, **origin.facts(kept)}
        state = result.state
        record = LegRecord.of(
            tenant, kept, versions, traceparent, self._kept, first=first, text=text, hook=hook, record=state
        )
        left = self._rollouts.left(tenant, outcome, versions, result.hosts, own=result.own)

        extend = [] if first else [lambda session: shown.update(record.extend(session))]
        note = [left.note] if left.hosts else []
        wanted = self._wanted(tenant, result, state, again)
        if slot is not None and answer is not None:
            wanted.append(lambda session: self._idempotency.keep(session, slot, answer))
        tell = self._recorded(tenant, outcome.execution_id)
        change = all_of([*extend, *note, *wanted, end, tell])
        await self._write(change, slot, {**record.rows(), **left.rows})
        left.written()
        result.follow(tenant, traceparent)
        if timing is not None:
            timing.add("queue", result.waited_ms)
            timing.add("build", outcome.timing.build_ms)
            timing.add("run", outcome.timing.wall_ms)
            timing.add("record", (time.perf_counter() - began) * 1000)
        if self._hub.has_readers(tenant):
            self._hub.publish(tenant, record.shown() if first else shown)

    async def _write(self, change: Change | None, slot: Slot | None, rows: Rows | None = None) -> None:
        """Raises `AnsweredElsewhereError` when another replica has stored an answer for the slot's key."""
        try:
            await self._writer.write(change, rows)
        except IntegrityError:
            found = None if slot is None else await asyncio.to_thread(self._idempotency.find, slot)
            if found is None:
                raise
            raise AnsweredElsewhereError(found) from None

    def waiting(self, tenant: str, handle: str) -> tuple[StoredFlow, Pinned, Waiting]:
        """A suspended flow, the versions that it goes on with, and what was kept with it. Raises
        `ResumeError`."""
        found = self._suspensions.found(store_key(tenant, handle))
        stored = StoredFlow.read(found.text)
        pinned = self._bindings.pinned(tenant, stored.flow.trigger, found.versions)
        return stored, pinned, found

    def _wanted(
        self, tenant: str, result: LegResult, state: RecordState | None, again: Invocation | None
    ) -> list[Change]:
        """What its outcome asks for: to be kept for its resume, or to be tried again."""
        found: list[Change] = []
        if result.outcome.suspension is not None and result.suspended is not None:
            found.append(lambda session: self._keep(session, tenant, result, state))
        if again is not None and result.outcome.effects.notification is not None:
            found.append(lambda session: self._retry_later(session, again, result.outcome))
        return found

    def _keep(self, session: Session, tenant: str, result: LegResult, state: RecordState | None) -> None:
        """Keep a flow that suspended."""
        suspension, flow = result.outcome.suspension, result.suspended
        if suspension is None or flow is None:
            return
        self._suspensions.add(
            session,
            store_key(tenant, suspension.handle),
            flow.model_dump_json(),
            flow.expires_at,
            tenant=tenant,
            execution_id=result.outcome.execution_id,
            versions=[version.version_id for version in result.versions],
            arms=arms_of(result.versions),
            record=None if state is None else state.text,
        )

    def _retry_later(self, session: Session, invocation: Invocation, outcome: FlowOutcome) -> None:
        """An Action that asked for another attempt at its message gets it from a job."""
        notification = outcome.effects.notification
        if notification is None or notification.outcome != "retry" or invocation.origin is not None:
            return
        self._queue.put(
            session,
            invocation.tenant,
            NOTIFICATION,
            invocation.payload,
            execution_id=invocation.execution_id,
            delay_seconds=policy_of(NOTIFICATION).delay,
        )


def _answer(invocation: Invocation, outcome: FlowOutcome) -> StoredResponse:
    origin = invocation.origin
    return StoredResponse(200, outcome.to_json()) if origin is None else origin.answer(outcome)


def _new_execution_id() -> str:
    return str(uuid.uuid4())
