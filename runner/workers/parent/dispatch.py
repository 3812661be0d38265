"""The way of a call: into its tenant's queue, to a worker, and to its end."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable
from typing import Any, Final

from runner.model.outcome import FlowOutcome
from runner.model.settings import Settings
from runner.workers.parent.pending_call import PendingCall, lost
from runner.workers.parent.pool_stats import PoolStats, TenantStats
from runner.workers.parent.processes.supervisor import Supervisor, is_late
from runner.workers.parent.processes.worker import AHEAD, READY, Worker
from runner.workers.parent.queueing import FairQueue, QueueFullError, TenantNumbers
from runner.workers.parent.requests import LegRecord, LegReply, TooBusyError
from runner.workers.parent.services.fetches import CallFetches
from runner.workers.parent.settings import PoolSettings
from runner.workers.parent.usage import Usage
from runner.workers.protocol.frames import UnsendableError
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Source
from sandbox.egress.model import Egress

_MOST_TRIES: Final = 3
"""Times that a leg is given to a worker which dies before the leg began."""


class Dispatcher:
    """For one event loop.

    Args:
        egress: how Actions reach the network.
        on_message: gets what workers say about their calls.
    """

    def __init__(
        self, settings: PoolSettings, egress: Egress, on_message: Callable[[Worker, Any, bytes], None]
    ) -> None:
        self.settings = settings
        self.stopping = False
        self._egress = egress
        self._loop = asyncio.get_running_loop()
        self.supervisor = Supervisor(settings, on_message, self.dispatch, self._on_lost, self._on_sweep)
        self.queue: FairQueue[PendingCall] = FairQueue(
            tenant_running=settings.tenant_running, tenant_queue=settings.tenant_queue, queue=settings.queue
        )
        self._usage = Usage()
        self._most_computing = AHEAD * settings.workers
        self._numbers = itertools.count(1)
        self._done = self._lost = self._refused = 0
        self._mean_ms = 10.0
        self._swept_at = time.monotonic()

    @property
    def busy(self) -> bool:
        """Something waits or runs."""
        return bool(
            len(self.queue) or any(worker.pending or worker.recording for worker in self.supervisor.workers)
        )

    def call(self, tenant: str, **facts: Any) -> PendingCall:
        """A call with the next number; `facts` are workers of `PendingCall`."""
        number = next(self._numbers)
        facts["head"]["id"] = number
        return PendingCall(number, tenant, self._loop.create_future(), **facts)

    async def complete(self, call: PendingCall) -> Any:
        """Finish a call. Raises `TooBusyError`, and what its worker refuses it with."""
        tenant = call.tenant
        numbers = self.queue.numbers(tenant)
        try:
            if self.stopping:
                raise TooBusyError("stopping", 1)
            self.queue.put(tenant, call)
        except QueueFullError as error:
            self._refused += 1
            numbers.refused += 1
            raise TooBusyError(error.scope, self._retry_after()) from None
        self._usage.seen(tenant, call.queued_at)
        self.dispatch()
        try:
            return await call.future
        except asyncio.CancelledError:
            if not self.queue.remove(tenant, call) and call.fetches is not None:
                call.fetches.close()  # it runs on, and reaches nothing any more
            raise

    def everywhere(self, tenant: str, source: Source) -> list[asyncio.Future[Any]]:
        """Have each worker make the program of a source if it lacks it, behind everybody's legs."""
        begun = []
        for worker in self.supervisor.workers:
            if worker.state == READY and not self.stopping:
                call = self.call(tenant, head={"t": "warm"}, body=b"", sources=(source,), settings=Settings())
                call.low = True
                self.queue.numbers(tenant).running += 1
                self.computes(call, True)
                self._send(worker, call)
                begun.append(call.future)
        return begun

    def _retry_after(self) -> int:
        workers = max(1, self.settings.workers)
        return min(30, max(1, math.ceil(len(self.queue) * self._mean_ms / 1000 / workers)))

    def dispatch(self) -> None:
        """Give waiting calls to workers as long as both are there."""
        while len(self.queue):
            best = [self._roomiest(self.supervisor.workers, low) for low in (False, True)]
            if best[0] is None and best[1] is None:
                return
            now = time.monotonic()
            free = sum(worker.free for worker in self.supervisor.workers)
            mixed = self._usage.mixed(now)

            def place(
                numbers: TenantNumbers,
                call: PendingCall,
                best: list[Worker | None] = best,
                now: float = now,
                free: int = free,
                mixed: bool = mixed,
            ) -> tuple[Worker, bool] | None:
                if mixed and (numbers.computing >= self._most_computing or 0 < numbers.running >= free):
                    return None
                low = call.is_build or self._usage.heavy(numbers, now)
                worker = best[low]
                return None if worker is None else (worker, low)

            found = self.queue.take(place)
            if found is None:
                return
            call, (worker, low) = found
            call.low = low
            self.computes(call, True)
            self._send(worker, call)

    def _roomiest(self, workers: list[Worker], low: bool) -> Worker | None:
        best, most = None, (0, 0)
        for worker in workers:
            room = worker.room(low)
            if room and (room, -len(worker.pending)) > most:
                best, most = worker, (room, -len(worker.pending))
        return best

    def _send(self, worker: Worker, call: PendingCall) -> None:
        if not call.is_build:

            def tell(head: Any, body: bytes) -> None:
                self._loop.call_soon_threadsafe(worker.process.tell, head, body)

            allow = [action.allow for action in call.actions]
            call.fetches = CallFetches(call.number, self._egress, allow, tell)
        try:
            worker.send(call)
        except UnsendableError as error:
            call.sent_at = time.monotonic()
            self._end(call)
            self.give_up(call, Failure(FailureCode.OUTPUT, f"It is too large for a worker: {error}."))

    # --- workers ---

    def _on_lost(self, worker: Worker) -> None:
        """Fail the calls that a dead worker ran; those that it had not begun go to another one."""
        had = {call: worker.begun(call) for call in worker.pending.values()}
        # With several in it nobody knows which one it was; and we stop workers for reasons of ours.
        own = sum(had.values()) + len(worker.recording) == 1 and worker.process.reason != "stopped"
        for call, begun in had.items():
            late = is_late(call)
            self._end(call)
            if begun and late:
                self.give_up(call, call.late(), own=own)
            elif begun or call.tries >= _MOST_TRIES or self.stopping:
                reason = _REASONS.get(worker.process.reason, "died")
                self.give_up(call, lost(reason), own=own and begun)
            elif not call.future.done():
                call.queued_at = time.monotonic()
                self.queue.put_back(call.tenant, call)
        worker.pending.clear()
        for call in worker.recording.values():
            assert call.record is not None
            call.record.set_result(LegRecord(lost="worker"))
        worker.recording.clear()
        self.dispatch()

    def _on_sweep(self, now: float) -> None:
        oldest = now - self.settings.wait_seconds
        for call in self.queue.remove_all(lambda item: item.queued_at < oldest):
            refuse(call, TooBusyError("service", self._retry_after()))
        passed_ms, self._swept_at = (now - self._swept_at) * 1000, now
        for worker in self.supervisor.workers:
            long = [call for call in worker.pending.values() if call.long]
            for call in long:  # they take turns; what each really used is known when it ends
                self.charge(call, call.charged_ms + passed_ms / len(long))

    # --- ends ---

    def charge(self, call: PendingCall, cpu_ms: float) -> None:
        """Charge the tenant with all the processor time of a leg so far."""
        extra = max(0.0, cpu_ms - call.charged_ms)
        call.charged_ms += extra
        self._usage.add(self.queue.numbers(call.tenant), extra, time.monotonic())

    def computes(self, call: PendingCall, now: bool) -> None:
        """A leg computes, or waits: the first are bounded for each tenant when others call as well."""
        if call.computes is not now:
            call.computes = now
            self.queue.numbers(call.tenant).computing += 1 if now else -1

    def over(self, worker: Worker, call: PendingCall) -> None:
        """A worker is done with a call: others may have its place."""
        worker.ended(call)
        self._end(call)
        self._done += 1
        self.queue.numbers(call.tenant).done += 1
        self._mean_ms += 0.05 * ((time.monotonic() - call.sent_at) * 1000 - self._mean_ms)
        self.dispatch()

    def _end(self, call: PendingCall) -> None:
        self.computes(call, False)
        self.queue.ended(call.tenant)
        if call.fetches is not None:
            call.fetches.close()

    def reply(self, call: PendingCall, outcome: FlowOutcome, **facts: Any) -> LegReply:
        """The reply with an outcome; `facts` are further workers."""
        now = time.monotonic()
        return LegReply.model_construct(
            outcome=outcome,
            record=facts.get("record"),
            suspended=facts.get("suspended"),
            kept=facts.get("kept"),
            waited_ms=(call.sent_at - call.queued_at) * 1000,
            ran_ms=(now - call.sent_at) * 1000,
            hosts=() if call.fetches is None else call.fetches.hosts_of(outcome),
            own=facts.get("own", True),
        )

    def give_up(self, call: PendingCall, failure: Failure, *, own: bool = True) -> None:
        """A call has no outcome of its worker's. `own`: that is the doing of its Actions."""
        self._lost += 1
        self.queue.numbers(call.tenant).lost += 1
        if call.is_build:
            refuse(call, BuildError(failure))
        else:
            settle(call, self.reply(call, call.failed(failure), own=own))

    def stats(self) -> PoolStats:
        """The pool's numbers now."""
        now = time.monotonic()
        workers = self.supervisor.workers
        return PoolStats(
            healthy=not self.stopping and any(worker.state == READY for worker in workers),
            queue=len(self.queue),
            running=sum(len(worker.pending) for worker in workers),
            done=self._done,
            lost=self._lost,
            refused=self._refused,
            restarts=dict(self.supervisor.restarts),
            recycled=self.supervisor.recycled,
            workers=tuple(worker.stats() for worker in workers),
            tenants={
                name: TenantStats(
                    running=numbers.running,
                    waiting=waiting,
                    done=numbers.done,
                    refused=numbers.refused,
                    lost=numbers.lost,
                    cpu_ms=round(self._usage.used(numbers, now), 1),
                )
                for name, (numbers, waiting) in self.queue.tenants().items()
            },
        )


_REASONS: Final = {
    "protocol": "broke its protocol",
    "hung": "hung",
    "late": "was stopped",
    "stopped": "was stopped",
}


def settle(call: PendingCall, reply: LegReply) -> None:
    """Give the reply to whoever still waits for it."""
    if not call.future.done():
        call.future.set_result(reply)


def refuse(call: PendingCall, error: Exception) -> None:
    """The same with an error."""
    if not call.future.done():
        call.future.set_exception(error)
