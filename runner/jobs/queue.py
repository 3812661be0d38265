"""The outbox table as a queue: put in a transaction, claimed under a lease, finished or put off.

The same code on both databases: SQLite has one writer, PostgreSQL passes over rows that others are claiming.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from runner.store import Store
from runner.store.columns import new_id, now
from runner.store.runs import JobRow

LEASE_SECONDS: Final = 30.0
"""A worker that says nothing for so long is taken for dead."""
READY: Final = "ready"
RUNNING: Final = "running"
DONE: Final = "done"
DEAD: Final = "dead"
FAILURES: Final = "failures"
DELAYS: Final = "delays"
COUNTERS: Final = (FAILURES, DELAYS)
"""Members of a payload: attempts that ended with a failure, and those that were told to come later."""
_MAX_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt`: from 1, this one included."""

    tenant: str
    id: str
    kind: str
    payload: dict[str, Any]
    execution_id: str | None
    attempt: int


def new_owner() -> str:
    """A name for a worker of this process in leases: machine, process, and something random."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(8)}"


def _machine() -> str:
    return socket.gethostname()[:32].replace(":", "-")


def _is_gone(owner: str) -> bool:
    """The process of a worker of this machine has ended. Its number may be ours: then we came after it."""
    machine, _, rest = owner.partition(":")
    number = rest.partition(":")[0]
    if machine != _machine() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


class JobQueue:
    """The queue. Safe between threads and processes; `owner` names this worker in leases, see `new_owner`."""

    def __init__(self, store: Store, owner: str, clock: Callable[[], datetime] = now) -> None:
        self._store = store
        self._owner = owner
        self._clock = clock

    def put(
        self,
        session: Session,
        tenant: str,
        kind: str,
        payload: dict[str, Any],
        *,
        execution_id: str | None = None,
        delay_seconds: float = 0.0,
    ) -> str:
        """Add a job in the caller's transaction; its id."""
        job_id = new_id()
        session.add(
            JobRow(
                tenant_id=tenant,
                id=job_id,
                kind=kind,
                payload=payload,
                execution_id=execution_id,
                next_at=self._clock() + timedelta(seconds=delay_seconds),
            )
        )
        return job_id

    def claim(self, kinds: Sequence[str], most: int) -> list[Job]:
        """Up to `most` jobs that are due, now leased to this worker: one of each tenant before a second of
        any, so that a long queue of one does not hold up the others."""
        moment = self._clock()
        with self._store.begin() as session:
            rows = session.scalars(self._due(kinds, moment, most)).all()
            for row in rows:
                row.state = RUNNING
                row.attempts += 1
                row.lease_owner = self._owner
                row.lease_until = moment + timedelta(seconds=LEASE_SECONDS)
                row.updated_at = moment
            return [
                Job(row.tenant_id, row.id, row.kind, dict(row.payload), row.execution_id, row.attempts)
                for row in rows
            ]

    def renew(self, jobs: Sequence[Job]) -> None:
        """Say that these are still being worked on."""
        until = self._clock() + timedelta(seconds=LEASE_SECONDS)
        with self._store.begin() as session:
            for job in jobs:
                session.execute(self._mine(job).values(lease_until=until))

    def reclaim(self) -> int:
        """End the leases of workers of this machine whose process is gone, so that nobody waits for them; how
        many. Those of other machines run out by themselves."""
        moment = self._clock()
        with self._store.begin() as session:
            owners = session.scalars(
                select(JobRow.lease_owner)
                .where(JobRow.state == RUNNING, JobRow.lease_until > moment)
                .distinct()
            )
            gone = [owner for owner in owners if owner and owner != self._owner and _is_gone(owner)]
            if not gone:
                return 0
            ended = session.execute(
                update(JobRow)
                .where(JobRow.state == RUNNING, JobRow.lease_owner.in_(gone))
                .values(lease_until=moment - timedelta(seconds=1))
            )
            return int(ended.rowcount)  # type: ignore[attr-defined]

    def done(self, session: Session, job: Job) -> bool:
        """The job is done, in the transaction that keeps its result. False when the lease was lost: somebody
        else has it now, and this result is not to be kept."""
        return self._end(session, job, state=DONE)

    def put_off(
        self, session: Session, job: Job, seconds: float, error: str, payload: dict[str, Any] | None = None
    ) -> bool:
        """Try again after a pause, with another payload if one is given. False as for `done`."""
        due = self._clock() + timedelta(seconds=seconds)
        changed = {} if payload is None else {"payload": payload}
        return self._end(session, job, state=READY, next_at=due, last_error=error[:_MAX_ERROR], **changed)

    def bury(self, session: Session, job: Job, error: str) -> bool:
        """No attempt is left: kept as a dead letter. False as for `done`."""
        return self._end(session, job, state=DEAD, last_error=error[:_MAX_ERROR])

    def revive(self, session: Session, tenant: str, job_id: str) -> bool:
        """Run a dead letter again, with all its attempts. False when there is no such dead letter."""
        row = session.get(JobRow, (tenant, job_id), with_for_update=True)
        if row is None or row.state != DEAD:
            return False
        row.state, row.attempts, row.next_at, row.updated_at = READY, 0, self._clock(), self._clock()
        row.payload = {key: value for key, value in row.payload.items() if key not in COUNTERS}
        return True

    def counts(self) -> dict[str, int]:
        """Jobs by state, over all tenants."""
        with self._store.read() as session:
            rows = session.execute(select(JobRow.state, func.count().label("jobs")).group_by(JobRow.state))
            return {row.state: row.jobs for row in rows}

    def _due(self, kinds: Sequence[str], moment: datetime, most: int) -> Any:
        waiting = and_(JobRow.state == READY, JobRow.next_at <= moment)
        abandoned = and_(JobRow.state == RUNNING, JobRow.lease_until < moment)
        turn = func.row_number().over(partition_by=JobRow.tenant_id, order_by=JobRow.next_at)
        ranked = (
            select(JobRow.tenant_id, JobRow.id, turn.label("turn"), JobRow.next_at)
            .where(JobRow.kind.in_(kinds), or_(waiting, abandoned))
            .subquery()
        )
        return (
            select(JobRow)
            .join(ranked, (JobRow.tenant_id == ranked.c.tenant_id) & (JobRow.id == ranked.c.id))
            # Again for the row itself: PostgreSQL looks at it anew after it waited for another claimer.
            .where(or_(waiting, abandoned))
            .order_by(ranked.c.turn, ranked.c.next_at)
            .limit(most)
            .with_for_update(skip_locked=True, of=JobRow)
        )

    def _mine(self, job: Job) -> Any:
        return update(JobRow).where(
            JobRow.tenant_id == job.tenant,
            JobRow.id == job.id,
            JobRow.state == RUNNING,
            JobRow.lease_owner == self._owner,
            JobRow.attempts == job.attempt,
        )

    def _end(self, session: Session, job: Job, **values: Any) -> bool:
        done = session.execute(
            self._mine(job).values(lease_owner=None, lease_until=None, updated_at=self._clock(), **values)
        )
        return bool(done.rowcount)  # type: ignore[attr-defined]
