"""The loop that runs jobs: claims what is due, keeps leases alive, records each end with its result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from runner.jobs.policy import FLOW, MAX_CRASHES, NOTIFICATION, attempts_of
from runner.jobs.queue import DELAYS, FAILURES, LEASE_SECONDS, Job, JobQueue
from runner.outcome import Decision, FlowOutcome
from runner.runtime.entities import UnknownActionError
from runner.runtime.flows import Flows, Run
from runner.runtime.wire import InvokeBody
from runner.store import Store
from runner.workers.calls import TooBusyError
from triggers import EventError, UnknownTriggerError, get_trigger

_log: Final = structlog.get_logger("actionbox.jobs")
_IDLE_SECONDS: Final = 0.5
"""Pause between two looks when nothing was due."""
_LOOK_AFTER_SECONDS: Final = LEASE_SECONDS / 6
"""Pause between two looks after leases: own ones to renew, and those of workers that died."""


class LostLeaseError(Exception):
    """Another worker has the job now: nothing of this run is kept."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a job: put off by `pause` seconds; dead when `error` is set without a pause; done."""

    pause: float | None = None
    error: str = ""
    counted: str = FAILURES


class JobWorker:
    """Runs jobs of all tenants. For one event loop; any number of processes and machines."""

    def __init__(self, store: Store, queue: JobQueue, flows: Flows, *, parallel: int) -> None:
        """`parallel`: jobs at a time."""
        self._store = store
        self._queue = queue
        self._flows = flows
        self._parallel = parallel
        self._running: dict[asyncio.Task[None], Job] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once: something was just put."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then what runs is finished and nothing new begun."""
        with contextlib.suppress(Exception):
            await asyncio.to_thread(self._queue.reclaim)
        renewing = asyncio.create_task(self._renew())
        try:
            while not stop.is_set():
                if not await self._start_some():
                    await self._pause(stop)
            if self._running:
                await asyncio.wait(self._running)
        finally:
            renewing.cancel()

    async def _start_some(self) -> bool:
        free = self._parallel - len(self._running)
        if free <= 0:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return True
        self._wake.clear()
        try:
            jobs = await asyncio.to_thread(self._queue.claim, (FLOW, NOTIFICATION), free)
        except Exception:  # noqa: BLE001 - a database that is away comes back
            _log.exception("jobs cannot be claimed")
            return False
        for job in jobs:
            task = asyncio.create_task(self._work(job))
            self._running[task] = job
            task.add_done_callback(self._ended)
        return bool(jobs)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait(waits, timeout=_IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AFTER_SECONDS)
            jobs = list(self._running.values())
            with contextlib.suppress(Exception):  # the lease outlives two failed renewals
                if jobs:
                    await asyncio.to_thread(self._queue.renew, jobs)
                if await asyncio.to_thread(self._queue.reclaim):
                    self._wake.set()

    async def _work(self, job: Job) -> None:
        try:
            await self._attempt(job)
        except LostLeaseError:
            _log.warning("lease lost", job=job.id, tenant=job.tenant)
        except Exception:  # noqa: BLE001 - the lease ends and the job is run again
            _log.exception("job not finished", job=job.id, tenant=job.tenant)

    async def _attempt(self, job: Job) -> None:
        crashes = job.attempt - 1 - job.payload.get(FAILURES, 0) - job.payload.get(DELAYS, 0)
        if crashes > MAX_CRASHES:
            await self._end(job, _Verdict(error=f"{crashes} attempts ended with their worker"))
            return
        try:
            run = _run_of(job)
            outcome, versions = await self._flows.run(run)
        except TooBusyError as error:
            await self._end(job, _Verdict(float(error.retry_after), str(error), DELAYS))
            return
        except (EventError, UnknownActionError, UnknownTriggerError) as error:
            await self._end(job, _Verdict(error=str(error)))
            return
        verdict = _verdict(job, outcome)
        await self._flows.finish(run, outcome, versions, lambda session: self._close(session, job, verdict))

    async def _end(self, job: Job, verdict: _Verdict) -> None:
        def change() -> None:
            with self._store.begin() as session:
                self._close(session, job, verdict)

        await asyncio.to_thread(change)

    def _close(self, session: Session, job: Job, verdict: _Verdict) -> None:
        if verdict.pause is not None:
            payload = {**job.payload, verdict.counted: job.payload.get(verdict.counted, 0) + 1}
            kept = self._queue.put_off(session, job, verdict.pause, verdict.error, payload)
        elif verdict.error:
            kept = self._queue.bury(session, job, verdict.error)
        else:
            kept = self._queue.done(session, job)
        if not kept:
            raise LostLeaseError


def _run_of(job: Job) -> Run:
    payload: Mapping[str, Any] = job.payload
    return Run(
        tenant=job.tenant,
        trigger=get_trigger(payload["trigger"]),
        body=InvokeBody.model_validate(payload["body"]),
        execution_id=job.execution_id or job.id,
        traceparent=payload.get("traceparent"),
    )


def _verdict(job: Job, outcome: FlowOutcome) -> _Verdict:
    """A failed delivery is tried again as often as its trigger allows; a failed flow of another trigger is
    an outcome like any other."""
    trigger = job.payload["trigger"]
    notification = outcome.effects.notification
    if notification is not None and notification.outcome == "retry":
        error = notification.reason or "the Action asked for another attempt"
    elif trigger == "event-stream" and outcome.decision is Decision.FAILED:
        assert outcome.failure is not None
        error = f"{outcome.failure.code.value}: {outcome.failure.message}"
    else:
        return _Verdict()
    # The first attempt of a notification was the request itself.
    attempt = job.payload.get(FAILURES, 0) + (2 if job.kind == NOTIFICATION else 1)
    return _Verdict(attempts_of(trigger).pause_after(attempt), error)
