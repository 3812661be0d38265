"""Runs shadows as jobs: leg by leg behind everybody's logins, and counts what differs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy.orm import Session

from runner.config.keys import Keys
from runner.config.settings import ServiceSettings
from runner.jobs.policy import SHADOW
from runner.jobs.queue import Job
from runner.jobs.worker import Ended, JobGroup
from runner.management.base.interfaces import BusyError, FlowRunner, LostRunError, Records
from runner.management.shadows.candidates import (
    Candidate,
    Flows,
    GoneError,
    draft_of,
    version_of,
    with_code,
)
from runner.model.errors import InputError
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import FlowRecord
from runner.shadow.leg import SELF_CHECKS, LegShadow
from runner.shadow.report import ShadowReport, Tally
from runner.shadow.rules import IgnoreRule
from runner.store import Store
from runner.store.sealed.sealing import SealError
from runner.store.tables.columns import now
from runner.store.tables.models import ActionRow, ActionVersionRow
from runner.store.tables.shadows import ShadowRow

QUEUED, RUNNING, DONE, FAILED, CANCELED = "queued", "running", "done", "failed", "canceled"
UNFINISHED: Final = (QUEUED, RUNNING)
_LIVE_SECONDS: Final = 2.0
"""Between two looks of a live shadow after new records."""
_LIVE_BATCH: Final = 200
"""Executions of one look; older ones that came since are counted as dropped."""
_TELL_SECONDS: Final = 1.0
_PARALLEL: Final = 2
_GRACE_SECONDS: Final = 5.0
_MOST_BUSY: Final = 30
"""Times in a row that a leg is told to come again; then it is skipped."""


@dataclass(slots=True)
class _Shadow:
    """One that runs, as its row was."""

    tenant: str
    id: str
    candidate: Candidate
    last: int
    since: datetime | None
    live_until: datetime | None
    seen_until: datetime | None
    tally: Tally
    done: int


class ShadowRunner:
    """Runs shadows. Blocks; safe between threads."""

    def __init__(self, store: Store, keys: Keys, runner: FlowRunner, records: Records) -> None:
        self._store = store
        self._keys = keys
        self._runner = runner
        self._records = records

    def run(self, job: Job, stop: threading.Event) -> Ended:
        """One attempt; a live shadow takes up what came since the last one."""
        shadow = self._begun(job)
        if shadow is None:
            return Ended()
        try:
            self._work(shadow, stop)
        except SealError as error:
            self._conclude(shadow, FAILED, f"a stored secret does not open: {error}")
            return Ended()
        if stop.is_set():
            return Ended(later=0.0)
        if shadow.live_until is not None and now() < shadow.live_until:
            self._tell(shadow)
            return Ended(later=_LIVE_SECONDS)
        self._conclude(shadow, DONE)
        return Ended()

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """Its runs ended with their process."""
        row = session.get(ShadowRow, (job.tenant, job.payload["shadow_id"]))
        if row is not None and row.state in UNFINISHED:
            row.state, row.error, row.updated_at = FAILED, error, now()

    # --- one shadow ---

    def _begun(self, job: Job) -> _Shadow | None:
        with self._store.begin() as session:
            row = session.get(ShadowRow, (job.tenant, job.payload["shadow_id"]), with_for_update=True)
            if row is None or row.state not in UNFINISHED:
                return None
            candidate = self._candidate(session, row)
            if isinstance(candidate, str):
                row.state, row.error, row.updated_at = FAILED, candidate, now()
                return None
            row.state, row.updated_at = RUNNING, now()
            live_until = _moment(row.wanted.get("live_until"))
            report = None
            if live_until is not None and row.report is not None:
                report = ShadowReport.model_validate_json(row.report)
            rules = [IgnoreRule.model_validate(item) for item in row.rules]
            return _Shadow(
                tenant=row.tenant_id,
                id=row.id,
                candidate=candidate,
                last=row.wanted["last"],
                since=_moment(row.wanted.get("since")),
                live_until=live_until,
                seen_until=row.seen_until,
                tally=Tally.going_on(report, rules, datetime.now(UTC).date()),
                done=row.done if live_until is not None else 0,
            )

    def _candidate(self, session: Session, row: ShadowRow) -> Candidate | str:
        """The candidate; or why there is none any more."""
        action = session.get(ActionRow, (row.tenant_id, row.action_id))
        if action is None:
            return "the Action was deleted"
        ring = self._keys.ring
        if "code" in row.candidate:
            return with_code(draft_of(session, ring, action), row.candidate["code"])
        if "draft" in row.candidate:
            if action.revision != row.candidate["draft"]:
                return "the draft was changed meanwhile"
            return draft_of(session, ring, action)
        version = session.get(ActionVersionRow, (row.tenant_id, row.candidate["version_id"]))
        return "the version was deleted" if version is None else version_of(session, ring, action, version)

    def _work(self, shadow: _Shadow, stop: threading.Event) -> None:
        told = time.monotonic()
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="actionbox-shadow") as threads:
            waiting: deque[tuple[FlowRecord, Future[LegShadow]]] = deque()
            flows = Flows(self._store, lambda: self._keys.ring, shadow.tenant, shadow.candidate)
            for number, record in enumerate(self._legs(shadow), shadow.done):
                if stop.is_set():
                    break
                waiting.append((record, threads.submit(self._leg, shadow, flows, record, number, stop)))
                if len(waiting) > 2 * _PARALLEL:
                    _count(shadow, *waiting.popleft())
                if time.monotonic() - told > _TELL_SECONDS:
                    told = time.monotonic()
                    if not self._tell(shadow):
                        stop.set()
            for record, found in waiting:
                _count(shadow, record, found)

    def _legs(self, shadow: _Shadow) -> Iterator[FlowRecord]:
        if shadow.live_until is None:
            found = self._recent(shadow, shadow.last, shadow.since)
            return chain.from_iterable(record.legs for record in found)
        return self._new(shadow)

    def _new(self, shadow: _Shadow) -> Iterator[FlowRecord]:
        """What a live shadow has not seen, the oldest first."""
        since = shadow.seen_until or shadow.since or now()
        found = [item for item in self._recent(shadow, _LIVE_BATCH, since) if item.created_at > since]
        if len(found) >= _LIVE_BATCH:
            shadow.tally.skip("dropped")
        for record in reversed(found):
            yield from record.legs
            shadow.seen_until = record.created_at
        shadow.seen_until = shadow.seen_until or since

    def _recent(self, shadow: _Shadow, most: int, since: datetime | None) -> Iterable[ExecutionRecord]:
        return self._records.recent(shadow.tenant, shadow.candidate.trigger, most, since=since)

    def _leg(
        self, shadow: _Shadow, flows: Flows, record: FlowRecord, number: int, stop: threading.Event
    ) -> LegShadow:
        try:
            flow = flows.of(record)
            control = flow.control if number % SELF_CHECKS == 0 else ()
            for _ in range(_MOST_BUSY):
                try:
                    return self._runner.shadow(shadow.tenant, record, flow.actions, control)
                except BusyError as error:
                    if stop.wait(min(float(error.retry_after), _LIVE_SECONDS)):
                        break
            return LegShadow(skipped="busy")
        except GoneError:
            return LegShadow(skipped="gone")
        except InputError:
            return LegShadow(skipped="unusable")
        except LostRunError:
            return LegShadow(skipped="lost")

    def _tell(self, shadow: _Shadow) -> bool:
        """Write how far it is; False when it was cancelled, or deleted."""
        with self._store.begin() as session:
            row = session.get(ShadowRow, (shadow.tenant, shadow.id), with_for_update=True)
            if row is None or row.state not in UNFINISHED:
                return False
            _write(row, shadow)
            return True

    def _conclude(self, shadow: _Shadow, state: str, error: str | None = None) -> None:
        with self._store.begin() as session:
            row = session.get(ShadowRow, (shadow.tenant, shadow.id), with_for_update=True)
            if row is not None and row.state in UNFINISHED:
                _write(row, shadow)
                row.state, row.error = state, error


def _write(row: ShadowRow, shadow: _Shadow) -> None:
    row.done, row.seen_until = shadow.done, shadow.seen_until
    row.report, row.updated_at = shadow.tally.report().model_dump_json(by_alias=True), now()


def _count(shadow: _Shadow, record: FlowRecord, found: Future[LegShadow]) -> None:
    leg = found.result()
    shadow.done += 1
    shadow.tally.count(record.execution_id, leg)


def _moment(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(slots=True)
class ShadowJobs:
    """A `Handler` of shadows."""

    runner: ShadowRunner
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="actionbox-shadows")
    )

    async def run(self, job: Job) -> Ended:
        """Run it. When this is cancelled, it ends after the legs that run."""
        stop = threading.Event()
        try:
            work: Callable[[], Ended] = lambda: self.runner.run(job, stop)  # noqa: E731
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            stop.set()

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """See `ShadowRunner.give_up`."""
        self.runner.give_up(session, job, error)


def shadow_groups(
    store: Store, keys: Keys, runner: FlowRunner, records: Records, settings: ServiceSettings
) -> list[JobGroup]:
    """Shadows on `runner`, one at a time in each process; none where no jobs are run."""
    if not settings.run_jobs:
        return []
    grace = min(_GRACE_SECONDS, settings.shutdown_seconds)
    return [JobGroup((SHADOW,), 1, ShadowJobs(ShadowRunner(store, keys, runner, records)), grace)]
