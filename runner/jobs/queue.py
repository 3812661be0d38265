"""The outbox table as a queue: put in a transaction, claimed under a lease, finished or put off.

The same code on both databases: SQLite has one writer, PostgreSQL passes over rows that others are claiming.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, func, literal, or_, select, union_all, update
from sqlalchemy.orm import Session

from runner.jobs.fair_share import Queue, Turns
from runner.jobs.leases import Lease, new_lease, process_name
from runner.jobs.policy import policy_of
from runner.store import Store
from runner.store.database.notices import JOBS, Notice, announce
from runner.store.database.process import alive
from runner.store.tables.columns import Moment, new_id, now
from runner.store.tables.runs import DEAD, DONE, READY, RUNNING, JobRow

FAILURES: Final = "failures"
DELAYS: Final = "delays"
COUNTERS: Final = (FAILURES, DELAYS)
"""Members of a payload: attempts that ended with a failure, and those that were told to come later."""
MOST_COUNTED: Final = 10_000
"""Jobs of a state that `JobQueue.counts` counts: it is asked for every few seconds, and a day of finished
jobs may be a million."""
_MAX_ERROR: Final = 2_000
_MOST_UNCONFIRMED: Final = 64
_UNLOCKED: Final = timedelta(seconds=2)
"""A worker that holds no lock for so long is taken for dead."""
_CLOCKS_DIFFER: Final = timedelta(seconds=10)
"""A job that was changed later than so long from now was changed before a clock was set back."""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt`: from 1, this one included. `lease`: what its row says while it is ours."""

    tenant: str
    id: str
    kind: str
    payload: dict[str, Any]
    execution_id: str | None
    attempt: int
    lease: str

    @property
    def failures(self) -> int:
        """Attempts before this one that ended with a failure."""
        return int(self.payload.get(FAILURES, 0))

    @property
    def crashes(self) -> int:
        """Attempts before this one that ended with their worker."""
        return self.attempt - 1 - self.failures - int(self.payload.get(DELAYS, 0))

    @property
    def pause(self) -> float | None:
        """Seconds until the next attempt if this one fails; None when it is the last."""
        return policy_of(self.kind, self.payload.get("trigger", "")).pause_after(self.failures + 1)


class JobQueue:
    """The queue. Safe between processes, and between threads except for `claim` of the same `turns`."""

    def __init__(self, store: Store, owner: str = "", clock: Callable[[], datetime] = now) -> None:
        """`owner`: the first part of leases, this process if empty."""
        self._store = store
        self._owner = owner or process_name()
        self._clock = clock
        self._missing: dict[str, datetime] = {}
        self._unconfirmed: deque[str] = deque(maxlen=_MOST_UNCONFIRMED)

    def put(
        self,
        session: Session,
        tenant: str,
        kind: str,
        payload: dict[str, Any],
        *,
        execution_id: str | None = None,
        delay_seconds: float = 0.0,
        job_id: str = "",
    ) -> str:
        """Add a job in the caller's transaction; its id. Workers hear of it when that is committed.

        Args:
            job_id: if there is a job with this id, it begins anew, and what its last run comes to is lost.
        """
        due = self._clock() + timedelta(seconds=delay_seconds)
        row = session.get(JobRow, (tenant, job_id), with_for_update=True) if job_id else None
        if row is None:
            row = JobRow(tenant_id=tenant, id=job_id or new_id(), execution_id=execution_id)
            session.add(row)
        row.kind = kind
        row.payload, row.next_at, row.updated_at = payload, due, self._clock()
        row.state, row.attempts, row.last_error = READY, 0, None
        row.lease_owner = row.lease_until = None
        announce(session, Notice(JOBS, key=kind))
        return row.id

    def cancel(self, session: Session, tenant: str, job_id: str) -> None:
        """Take a job out, whatever its state; what its run comes to is lost."""
        session.execute(delete(JobRow).where(JobRow.tenant_id == tenant, JobRow.id == job_id))

    def first_due(self) -> float | None:
        """Seconds until the next job of any kind is due, 0 when one is; None when none waits. One row of an
        index: for whoever asks often and mostly finds nothing."""
        with self._store.read() as session:
            first = session.scalar(_FIRST)
        return None if first is None else max((first - self._clock()).total_seconds(), 0.0)

    def claim(self, kinds: Sequence[str], most: int, turns: Turns | None = None) -> list[Job]:
        """Up to `most` jobs that are due, now leased to this worker, in fair shares: see `Turns`."""
        return self.look(kinds, most, turns)[0]

    def look(
        self, kinds: Sequence[str], most: int, turns: Turns | None = None
    ) -> tuple[list[Job], float | None]:
        """The result of `claim`; and, if that is nothing, the seconds until the next job is due: 0 for one
        that waits for another worker or for others of its tenant, None when none waits.

        Args:
            turns: of the caller, so that a next claim goes on where this one ended.
        """
        moment = self._clock()
        lease = new_lease(self._owner, locked=self._store.hears)
        try:
            return self._claim(kinds, most, turns or Turns(kinds), moment, lease)
        except Exception:
            self._unconfirmed.append(lease)  # it may be committed, but nobody knows of what it took
            raise

    def _claim(
        self, kinds: Sequence[str], most: int, turns: Turns, moment: datetime, lease: str
    ) -> tuple[list[Job], float | None]:
        jobs: list[Job] = []
        with self._store.begin() as session:
            while len(jobs) < most:
                shares = turns.shares(session, moment, most - len(jobs))
                found = {
                    queue: _take(session, queue, moment, share, lease) for queue, share in shares.items()
                }
                jobs += [job for taken in found.values() for job in taken]
                used = {len(taken) == shares[queue] for queue, taken in found.items()}
                if used != {True, False}:  # else others may have what some have no use for
                    break
            first = session.scalar(_NEXT, {"kinds": list(kinds)}) if not jobs else None
        return jobs, None if first is None else max((first - moment).total_seconds(), 0.0)

    def renew(self, jobs: Sequence[Job]) -> None:
        """Say that these are still being worked on."""
        moment = self._clock()
        with self._store.begin() as session:
            for job in jobs:
                until = moment + timedelta(seconds=policy_of(job.kind).lease_seconds)
                session.execute(_leased(job).values(lease_until=until))

    def recover(self) -> int:
        """Make jobs of dead workers ready again; how many. A worker is dead when its lease has run out; when
        its process is gone, on this machine; and when it does not hold its lock any more, on any machine.
        Also what a claim of ours took that was committed and not confirmed, which counts as no attempt.
        Also those that wait for a time which a clock that was set back has put off."""
        moment = self._clock()
        ended = (JobRow.state == RUNNING, JobRow.lease_until < moment)
        ahead = (JobRow.state == READY, JobRow.next_at > moment, JobRow.updated_at > moment + _CLOCKS_DIFFER)
        with self._store.read() as session:
            query = select(JobRow.lease_owner).where(JobRow.state == RUNNING).distinct()
            leases = [lease for lease in session.scalars(query) if lease is not None]
            some_ended = session.scalar(select(JobRow.id).where(or_(and_(*ended), and_(*ahead))).limit(1))
            gone = self._gone(session, leases, moment)
        unconfirmed = [lease for lease in leases if lease in self._unconfirmed]
        if not gone and not unconfirmed and some_ended is None:
            return 0
        with self._store.begin() as session:
            freed = _free(session, moment, *ended) + _free(session, moment, *ahead, next_at=moment)
            if unconfirmed:
                taken = (JobRow.state == RUNNING, JobRow.lease_owner.in_(unconfirmed))
                freed += _free(session, moment, *taken, attempts=JobRow.attempts - 1)
            if gone:
                freed += _free(session, moment, JobRow.state == RUNNING, JobRow.lease_owner.in_(gone))
            return freed

    def _gone(self, session: Session, leases: Sequence[str], moment: datetime) -> list[str]:
        """Those whose process is gone. A lock that is missing once may be about to be taken again, on a new
        connection."""
        read = {lease: Lease.of(lease) for lease in leases}
        locks = alive(session) if any(lease.lock is not None for lease in read.values()) else frozenset()
        missing = {name for name, lease in read.items() if lease.lock is not None and lease.lock not in locks}
        self._missing = {name: self._missing.get(name, moment) for name in missing}
        long_since = {name for name, at in self._missing.items() if moment - at >= _UNLOCKED}
        return [
            name
            for name, lease in read.items()
            if name in long_since or (lease.is_gone and (lease.lock is None or name in missing))
        ]

    def hand_back(self, jobs: Sequence[Job]) -> None:
        """Make jobs ready for others that were begun and will not be ended here; no attempt is counted."""
        with self._store.begin() as session:
            for job in jobs:
                back = _leased(job).values(
                    state=READY, attempts=JobRow.attempts - 1, lease_owner=None, lease_until=None
                )
                session.execute(back)
                announce(session, Notice(JOBS, key=job.kind))

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
        announce(session, Notice(JOBS, key=row.kind))
        return True

    def counts(self) -> dict[str, int]:
        """Jobs by state, over all tenants; of each state as many as `MOST_COUNTED`."""
        with self._store.read() as session:
            found = {row.state: row.jobs for row in session.execute(_COUNTS)}
        return {state: number for state, number in found.items() if number}

    def _end(self, session: Session, job: Job, **values: Any) -> bool:
        done = session.execute(
            _leased(job).values(lease_owner=None, lease_until=None, updated_at=self._clock(), **values)
        )
        return bool(done.rowcount)  # type: ignore[attr-defined]


def _taking() -> Any:
    """The oldest due jobs of a tenant and kind become ours, but for those that others are taking."""
    moment = bindparam("moment", type_=Moment())
    picked = (
        select(JobRow.tenant_id, JobRow.id)
        .where(
            JobRow.kind == bindparam("of_kind"),
            JobRow.state == READY,
            JobRow.tenant_id == bindparam("tenant"),
            JobRow.next_at <= moment,
        )
        .order_by(JobRow.next_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return (
        update(JobRow)
        .where(JobRow.tenant_id == picked.c.tenant_id, JobRow.id == picked.c.id)
        .values(
            state=RUNNING,
            attempts=JobRow.attempts + 1,
            lease_owner=bindparam("lease"),
            lease_until=bindparam("until", type_=Moment()),
            updated_at=moment,
        )
        .returning(JobRow.id, JobRow.payload, JobRow.execution_id, JobRow.attempts)
        .execution_options(synchronize_session=False)
    )


def _counts(most: int = MOST_COUNTED) -> Any:
    """The number of jobs in each state, counted to `most`."""
    parts = []
    for state in (READY, RUNNING, DONE, DEAD):
        some = select(JobRow.state).where(JobRow.state == state).limit(most).subquery()
        parts.append(select(literal(state).label("state"), func.count().label("jobs")).select_from(some))
    return union_all(*parts)


_TAKING: Final = _taking()
_COUNTS: Final = _counts()
_FIRST: Final = select(func.min(JobRow.next_at)).where(JobRow.state == READY)
_NEXT: Final = select(func.min(JobRow.next_at)).where(
    JobRow.kind.in_(bindparam("kinds", expanding=True)), JobRow.state == READY
)


def _take(session: Session, queue: Queue, moment: datetime, most: int, lease: str) -> list[Job]:
    tenant, kind = queue
    until = moment + timedelta(seconds=policy_of(kind).lease_seconds)
    values = {
        "moment": moment,
        "tenant": tenant,
        "of_kind": kind,
        "most": most,
        "lease": lease,
        "until": until,
    }
    rows = session.execute(_TAKING, values)
    return [Job(tenant, row.id, kind, row.payload, row.execution_id, row.attempts, lease) for row in rows]


def _free(session: Session, moment: datetime, *which: Any, **values: Any) -> int:
    freed = session.execute(
        update(JobRow)
        .where(*which)
        .values(state=READY, lease_owner=None, lease_until=None, updated_at=moment, **values)
    )
    announce(session, Notice(JOBS))
    return int(freed.rowcount)  # type: ignore[attr-defined]


def _leased(job: Job) -> Any:
    """Its row, while it is ours."""
    return update(JobRow).where(
        JobRow.tenant_id == job.tenant,
        JobRow.id == job.id,
        JobRow.state == RUNNING,
        JobRow.lease_owner == job.lease,
    )
