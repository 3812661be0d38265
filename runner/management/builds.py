"""The queue of builds: rows in the database, so that a restart, or another replica, goes on with them.

A draft has at most one job. Whoever leases it builds the draft's newest revision; what is built for an older
one is dropped.
"""

from __future__ import annotations

import secrets as tokens
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from runner.management.building import Building
from runner.service.keys import Keys
from runner.service.ports import Builder
from runner.store.columns import now
from runner.store.engine import Store
from runner.store.models import ActionRow
from runner.store.runs import JobRow

_log: Final = structlog.get_logger("actionbox.builds")
KIND: Final = "build"
_LEASE: Final = timedelta(seconds=30)
_POLL_SECONDS: Final = 2.0
"""Other replicas' leases and retries are looked at this often; own work is woken."""
_WAITING: Final = {"state": "ready", "lease_owner": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Lease:
    """A job of ours. `deploy_as`: client to deploy for once it is built."""

    tenant: str
    job_id: str
    owner: str
    action_id: str
    attempt: int
    deploy_as: str | None


class BuildQueue:
    """Builds drafts in the background. Safe between threads."""

    def __init__(self, store: Store, keys: Keys, builder: Builder, *, threads: int = 2) -> None:
        self._store = store
        self._building = Building(store, keys, builder)
        self._threads = threads
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[Future[None], Lease] = {}
        self._dispatcher: threading.Thread | None = None

    def enqueue(self, session: Session, row: ActionRow, *, deploy_as: str | None = None) -> None:
        """Have the draft built, in the transaction that changed it; call `wake` when that is committed."""
        job = session.get(JobRow, (row.tenant_id, _job_id(row)), with_for_update=True)
        if job is None:
            job = JobRow(tenant_id=row.tenant_id, id=_job_id(row), kind=KIND, next_at=now())
            session.add(job)
        job.payload = {"action_id": row.id, "deploy_as": deploy_as}
        job.state, job.attempts, job.next_at = "ready", 0, now()
        job.lease_owner = job.lease_until = None

    def cancel(self, session: Session, row: ActionRow) -> None:
        """The Action is being deleted."""
        session.execute(delete(JobRow).where(JobRow.tenant_id == row.tenant_id, JobRow.id == _job_id(row)))

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def start(self) -> None:
        """Begin; also with what an earlier process left behind."""
        if self._dispatcher is not None:
            return
        if self._store.is_sqlite:
            self._release_all()  # one process has the file: whatever is leased was left by its predecessor
        self._dispatcher = threading.Thread(target=self._dispatch, name="actionbox-builds", daemon=True)
        self._dispatcher.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Finish what takes no longer than `seconds`, and hand back the rest."""
        self._stop.set()
        self._wake.set()
        if self._dispatcher is None:
            return
        self._dispatcher.join(seconds + _POLL_SECONDS)
        for future in list(self._running):
            try:
                future.result(timeout=seconds)
            except Exception:  # noqa: BLE001 - timed out or failed: both are handed back below
                seconds = 0.0
        for lease in list(self._running.values()):
            self._release(lease)

    def _dispatch(self) -> None:
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="actionbox-build")
        while not self._stop.is_set():
            self._wake.clear()
            try:
                while len(self._running) < self._threads and not self._stop.is_set():
                    lease = self._claim()
                    if lease is None:
                        break
                    self._begin(pool, lease)
                self._renew()
            except SQLAlchemyError as error:
                _log.error("the queue of builds cannot be read", exc_info=error)
            self._wake.wait(_POLL_SECONDS)
        pool.shutdown(wait=False)

    def _begin(self, pool: ThreadPoolExecutor, lease: Lease) -> None:
        future = pool.submit(self._work, lease)
        with self._lock:
            self._running[future] = lease
        future.add_done_callback(self._ended)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._running.pop(future, None)
        self._wake.set()

    def _work(self, lease: Lease) -> None:
        try:
            retry_at = self._building.run(lease)
            self._finish(lease, retry_at)
        except Exception as error:  # noqa: BLE001 - the lease runs out, and the build is tried again
            _log.error("build broke", tenant=lease.tenant, action=lease.action_id, exc_info=error)

    def _claim(self) -> Lease | None:
        """The job that waits longest, leased to us."""
        due = now()
        with self._store.begin() as session:
            query = (
                select(JobRow)
                .where(
                    JobRow.kind == KIND,
                    or_(
                        and_(JobRow.state == "ready", JobRow.next_at <= due),
                        and_(JobRow.state == "running", JobRow.lease_until < due),
                    ),
                )
                .order_by(JobRow.next_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            job = session.scalar(query)
            if job is None:
                return None
            job.state, job.attempts = "running", job.attempts + 1
            job.lease_owner, job.lease_until = tokens.token_hex(16), due + _LEASE
            return Lease(
                tenant=job.tenant_id,
                job_id=job.id,
                owner=job.lease_owner,
                action_id=job.payload["action_id"],
                attempt=job.attempts,
                deploy_as=job.payload.get("deploy_as"),
            )

    def _renew(self) -> None:
        with self._lock:
            owners = [lease.owner for lease in self._running.values()]
        if owners:
            with self._store.begin() as session:
                session.execute(
                    update(JobRow).where(JobRow.lease_owner.in_(owners)).values(lease_until=now() + _LEASE)
                )

    def _finish(self, lease: Lease, retry_at: datetime | None) -> None:
        mine = (
            JobRow.tenant_id == lease.tenant,
            JobRow.id == lease.job_id,
            JobRow.lease_owner == lease.owner,
        )
        with self._store.begin() as session:
            if retry_at is None:
                session.execute(delete(JobRow).where(*mine))
            else:
                session.execute(update(JobRow).where(*mine).values(**_WAITING, next_at=retry_at))

    def _release(self, lease: Lease) -> None:
        with self._store.begin() as session:
            session.execute(
                update(JobRow)
                .where(JobRow.tenant_id == lease.tenant, JobRow.lease_owner == lease.owner)
                .values(**_WAITING)
            )

    def _release_all(self) -> None:
        with self._store.begin() as session:
            session.execute(
                update(JobRow).where(JobRow.kind == KIND, JobRow.state == "running").values(**_WAITING)
            )


def _job_id(row: ActionRow) -> str:
    return f"build-{row.id}"
