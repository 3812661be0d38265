"""The loop that runs jobs: claims what is due, keeps leases alive, records each end with its result."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from sqlalchemy.orm import Session

from runner.jobs.fair_share import Turns
from runner.jobs.policy import policy_of
from runner.jobs.queue import DELAYS, FAILURES, Job, JobQueue
from runner.store import Store
from runner.store.database.faults import is_unavailable
from runner.store.database.notices import JOBS, MISSED, Notice

_log: Final = structlog.get_logger("actionbox.jobs")
_LOOK_SECONDS: Final = 0.5
"""Longest pause between two looks when nothing was due."""
_HEARD_SECONDS: Final = 5.0
"""The same while it is heard what other processes put."""
_RECOVER_SECONDS: Final = 2.0
"""Pause between two looks after workers that died."""
_RENEW_EVERY: Final = 3
"""Own leases are renewed with every third look."""
Change = Callable[[Session], None]


class LostLeaseError(Exception):
    """Another worker has the job now: nothing of this run is kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an attempt at a job.

    Attributes:
        keep: writes what came of it, and calls what it is given, in one transaction; None when nothing came
            of it.
        error: why it failed; "" when it did not.
        again: a failed attempt is followed by another if the policy of its kind leaves one; else the job is
            dead.
        later: nothing was tried: to be taken up again in so many seconds.
    """

    keep: Callable[[Change], Awaitable[None]] | None = None
    error: str = ""
    again: bool = False
    later: float | None = None


class Handler(Protocol):
    """The function that runs the jobs of a group."""

    async def run(self, job: Job) -> Ended:
        """One attempt. What it raises is logged, and the job is run again when its lease has ended; soon,
        when the database was away."""
        ...

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """Every attempt ended with its worker; in the transaction that makes the job a dead letter."""
        ...


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Kinds of jobs that share a number of places. Groups do not wait for each other.

    Attributes:
        parallel: jobs at a time.
        grace_seconds: what a stop waits for them; then they are handed back.
    """

    kinds: tuple[str, ...]
    parallel: int
    handler: Handler = field(repr=False)
    grace_seconds: float = 30.0


class _Running:
    """The jobs of a group under way."""

    def __init__(self, group: JobGroup) -> None:
        self.group = group
        self.turns = Turns(group.kinds)
        self.jobs: dict[asyncio.Task[None], Job] = {}

    @property
    def free(self) -> int:
        return self.group.parallel - len(self.jobs)


class JobWorker:
    """Runs jobs of all tenants. For one event loop; any number of processes and machines."""

    def __init__(self, store: Store, queue: JobQueue, groups: Sequence[JobGroup]) -> None:
        self._store = store
        self._queue = queue
        self._groups = [_Running(group) for group in groups if group.parallel > 0]
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unended: list[Job] = []
        store.listen(JOBS, self._heard)
        store.listen(MISSED, self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then nothing new is begun, and what runs is finished or handed back."""
        self._loop = asyncio.get_running_loop()
        looking = asyncio.create_task(self._look_after())
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._wake.clear()
                await self._pause(await self._look(), stopping)
            await asyncio.gather(*(self._leave(group) for group in self._groups))
        finally:
            self._loop = None
            looking.cancel()
            stopping.cancel()

    def _heard(self, _: Notice) -> None:
        """From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed in this moment
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _look(self) -> float:
        """Begin what there is to do and a place for; the seconds until the next look."""
        usual = _HEARD_SECONDS if self._store.hears else _LOOK_SECONDS
        try:
            first = await asyncio.to_thread(self._queue.first_due)
        except Exception as error:  # noqa: BLE001 - a database that is away comes back
            self._missed("jobs cannot be claimed", error)
            return _LOOK_SECONDS
        if first is None or first > 0:
            return usual if first is None else min(usual, first)
        pauses = [usual]
        for running in self._groups:
            if running.free <= 0:
                continue  # the end of a job wakes us
            try:
                jobs, due = await asyncio.to_thread(
                    self._queue.look, running.group.kinds, running.free, running.turns
                )
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                self._missed("jobs cannot be claimed", error)
                return _LOOK_SECONDS
            for job in jobs:
                task = asyncio.create_task(self._work(running.group, job))
                running.jobs[task] = job
                task.add_done_callback(lambda done, group=running: self._ended(group, done))  # type: ignore[misc]
            if jobs and running.free > 0:
                pauses.append(_LOOK_SECONDS)  # when the next is due was not asked: begin these first
            elif due is not None:
                # What is due and was not claimed is another worker's, or waits for others of its tenant.
                pauses.append(due or _LOOK_SECONDS)
        return min(pauses)

    def _missed(self, what: str, error: Exception, **facts: str) -> None:
        """One line while the database is away, which may be long; more for a fault of ours."""
        if is_unavailable(error):
            _log.error(what, reason=str(getattr(error, "orig", None) or error).strip(), **facts)
        else:
            _log.error(what, exc_info=error, **facts)

    def _ended(self, running: _Running, task: asyncio.Task[None]) -> None:
        running.jobs.pop(task, None)
        self._wake.set()

    async def _pause(self, seconds: float, stopping: asyncio.Task[bool]) -> None:
        """At most so long: until something is put or ends."""
        waking = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait([waking, stopping], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()

    async def _look_after(self) -> None:
        for turn in itertools.count():
            with contextlib.suppress(Exception):  # a lease outlives failed renewals
                jobs = [job for running in self._groups for job in running.jobs.values()]
                if jobs and turn % _RENEW_EVERY == 0:
                    await asyncio.to_thread(self._queue.renew, jobs)
                if self._unended:
                    ready = list(self._unended)
                    await asyncio.to_thread(self._queue.hand_back, ready)
                    del self._unended[: len(ready)]
                await asyncio.to_thread(self._queue.recover)
            await asyncio.sleep(_RECOVER_SECONDS)

    async def _leave(self, running: _Running) -> None:
        if running.jobs:
            await asyncio.wait(list(running.jobs), timeout=running.group.grace_seconds)
        left = dict(running.jobs)
        if left:
            try:
                await asyncio.to_thread(self._queue.hand_back, list(left.values()))
            except Exception as error:  # noqa: BLE001 - their leases end by themselves
                self._missed("jobs cannot be handed back", error)
            for task in left:
                task.cancel()
            await asyncio.wait(left)

    async def _work(self, group: JobGroup, job: Job) -> None:
        try:
            await self._attempt(group.handler, job)
        except LostLeaseError:
            _log.info("the job was put anew or taken over", job=job.id, tenant=job.tenant)
        except Exception as error:  # noqa: BLE001 - the lease ends and the job is run again
            self._missed("job not finished", error, job=job.id, tenant=job.tenant)
            if is_unavailable(error):
                self._unended.append(job)  # whether its end was written is seen when the database is back

    async def _attempt(self, handler: Handler, job: Job) -> None:
        if job.crashes > policy_of(job.kind).most_crashes:
            error = f"{job.crashes} attempts ended with their worker"

            def bury(session: Session) -> None:
                handler.give_up(session, job, error)
                self._close(session, job, Ended(error=error))

            await self._alone(bury)
            return
        ended = await handler.run(job)
        await (ended.keep or self._alone)(lambda session: self._close(session, job, ended))

    async def _alone(self, change: Change) -> None:
        def write() -> None:
            with self._store.begin() as session:
                change(session)

        await asyncio.to_thread(write)

    def _close(self, session: Session, job: Job, ended: Ended) -> None:
        pause = ended.later if ended.later is not None else job.pause if ended.again else None
        if pause is not None:
            counter = DELAYS if ended.later is not None else FAILURES
            payload = {**job.payload, counter: job.payload.get(counter, 0) + 1}
            kept = self._queue.put_off(session, job, pause, ended.error, payload)
        elif ended.error:
            kept = self._queue.bury(session, job, ended.error)
        else:
            kept = self._queue.done(session, job)
        if not kept:
            raise LostLeaseError
