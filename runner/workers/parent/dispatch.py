"""The way of a call: into its tenant's queue, to a worker, and to its end."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Callable
from typing import Any, Final

from runner.model.outcome import FlowOutcome
from runner.workers.parent.fetches import CallFetches
from runner.workers.parent.pending_call import Flight, lost
from runner.workers.parent.pool_stats import PoolSnapshot, TenantSnapshot
from runner.workers.parent.queueing import FairQueue, QueueFullError, TenantNumbers
from runner.workers.parent.requests import LegReply, TooBusyError
from runner.workers.parent.settings import PoolSettings
from runner.workers.parent.supervisor import Crew, is_late
from runner.workers.parent.usage import Usage
from runner.workers.parent.worker import AHEAD, READY, Member
from runner.workers.protocol.frames import UnsendableError
from sandbox.core.failure import BuildError, Failure, FailureCode
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
        self, settings: PoolSettings, egress: Egress, on_message: Callable[[Member, Any, bytes], None]
    ) -> None:
        self.settings = settings
        self.stopping = False
        self._egress = egress
        self._loop = asyncio.get_running_loop()
        self.crew = Crew(settings, on_message, self.dispatch, self._on_lost, self._on_sweep)
        self.queue: FairQueue[Flight] = FairQueue(
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
        return bool(len(self.queue) or any(member.flights for member in self.crew.members))

    def flight(self, tenant: str, **facts: Any) -> Flight:
        """A call with the next number; `facts` are members of `Flight`."""
        number = next(self._numbers)
        facts["head"]["id"] = number
        return Flight(number, tenant, self._loop.create_future(), **facts)

    async def fly(self, flight: Flight) -> Any:
        """What becomes of a call. Raises `TooBusyError`, and what its worker refuses it with."""
        tenant = flight.tenant
        numbers = self.queue.numbers(tenant)
        try:
            if self.stopping:
                raise TooBusyError("stopping", 1)
            self.queue.put(tenant, flight)
        except QueueFullError as error:
            self._refused += 1
            numbers.refused += 1
            raise TooBusyError(error.scope, self._retry_after()) from None
        self._usage.seen(tenant, flight.queued_at)
        self.dispatch()
        try:
            return await flight.future
        except asyncio.CancelledError:
            if not self.queue.remove(tenant, flight) and flight.fetches is not None:
                flight.fetches.close()  # it runs on, and reaches nothing any more
            raise

    def _retry_after(self) -> int:
        workers = max(1, self.settings.workers)
        return min(30, max(1, math.ceil(len(self.queue) * self._mean_ms / 1000 / workers)))

    def dispatch(self) -> None:
        """Give waiting calls to workers as long as both are there."""
        while len(self.queue):
            best = [self._roomiest(self.crew.members, low) for low in (False, True)]
            if best[0] is None and best[1] is None:
                return
            now = time.monotonic()
            free = sum(member.free for member in self.crew.members)
            mixed = self._usage.mixed(now)

            def place(
                numbers: TenantNumbers,
                flight: Flight,
                best: list[Member | None] = best,
                now: float = now,
                free: int = free,
                mixed: bool = mixed,
            ) -> tuple[Member, bool] | None:
                if mixed and (numbers.computing >= self._most_computing or 0 < numbers.running >= free):
                    return None
                low = flight.is_build or self._usage.heavy(numbers, now)
                member = best[low]
                return None if member is None else (member, low)

            found = self.queue.take(place)
            if found is None:
                return
            flight, (member, low) = found
            flight.low = low
            self.computes(flight, True)
            self._send(member, flight)

    def _roomiest(self, members: list[Member], low: bool) -> Member | None:
        best, most = None, (0, 0)
        for member in members:
            room = member.room(low)
            if room and (room, -len(member.flights)) > most:
                best, most = member, (room, -len(member.flights))
        return best

    def _send(self, member: Member, flight: Flight) -> None:
        if not flight.is_build:

            def tell(head: Any, body: bytes) -> None:
                self._loop.call_soon_threadsafe(member.process.tell, head, body)

            allow = [action.allow for action in flight.actions]
            flight.fetches = CallFetches(flight.number, self._egress, allow, tell)
        try:
            member.send(flight)
        except UnsendableError as error:
            flight.sent_at = time.monotonic()
            self._end(flight)
            self.give_up(flight, Failure(FailureCode.OUTPUT, f"It is too large for a worker: {error}."))

    # --- workers ---

    def _on_lost(self, member: Member) -> None:
        """What a dead worker ran has failed; what it had not begun goes to another one."""
        for flight in list(member.flights.values()):
            begun = member.begun(flight)
            late = is_late(flight)
            self._end(flight)
            if begun and late:
                self.give_up(flight, flight.late())
            elif begun or flight.tries >= _MOST_TRIES or self.stopping:
                self.give_up(flight, lost(_REASONS.get(member.process.reason, "died")))
            elif not flight.future.done():
                flight.queued_at = time.monotonic()
                self.queue.put_back(flight.tenant, flight)
        member.flights.clear()
        self.dispatch()

    def _on_sweep(self, now: float) -> None:
        oldest = now - self.settings.wait_seconds
        for flight in self.queue.remove_all(lambda item: item.queued_at < oldest):
            refuse(flight, TooBusyError("service", self._retry_after()))
        passed_ms, self._swept_at = (now - self._swept_at) * 1000, now
        for member in self.crew.members:
            long = [flight for flight in member.flights.values() if flight.long]
            for flight in long:  # they take turns; what each really used is known when it ends
                self.charge(flight, flight.charged_ms + passed_ms / len(long))

    # --- ends ---

    def charge(self, flight: Flight, cpu_ms: float) -> None:
        """Charge the tenant with all the processor time of a leg so far."""
        extra = max(0.0, cpu_ms - flight.charged_ms)
        flight.charged_ms += extra
        self._usage.add(self.queue.numbers(flight.tenant), extra, time.monotonic())

    def computes(self, flight: Flight, now: bool) -> None:
        """A leg computes, or waits: the first are bounded for each tenant when others call as well."""
        if flight.computes is not now:
            flight.computes = now
            self.queue.numbers(flight.tenant).computing += 1 if now else -1

    def over(self, member: Member, flight: Flight) -> None:
        """A worker is done with a call: others may have its place."""
        member.ended(flight)
        self._end(flight)
        self._done += 1
        self.queue.numbers(flight.tenant).done += 1
        self._mean_ms += 0.05 * ((time.monotonic() - flight.sent_at) * 1000 - self._mean_ms)
        self.dispatch()

    def _end(self, flight: Flight) -> None:
        self.computes(flight, False)
        self.queue.ended(flight.tenant)
        if flight.fetches is not None:
            flight.fetches.close()

    def reply(self, flight: Flight, outcome: FlowOutcome, **facts: Any) -> LegReply:
        """The reply with an outcome; `facts` are further members."""
        now = time.monotonic()
        return LegReply.model_construct(
            outcome=outcome,
            record=facts.get("record"),
            suspended=facts.get("suspended"),
            kept=facts.get("kept"),
            waited_ms=(flight.sent_at - flight.queued_at) * 1000,
            ran_ms=(now - flight.sent_at) * 1000,
        )

    def give_up(self, flight: Flight, failure: Failure) -> None:
        """A call has no outcome of its worker's."""
        self._lost += 1
        self.queue.numbers(flight.tenant).lost += 1
        if flight.is_build:
            refuse(flight, BuildError(failure))
        else:
            settle(flight, self.reply(flight, flight.failed(failure)))

    def snapshot(self) -> PoolSnapshot:
        """The pool's numbers now."""
        now = time.monotonic()
        members = self.crew.members
        return PoolSnapshot(
            healthy=not self.stopping and any(member.state == READY for member in members),
            queue=len(self.queue),
            running=sum(len(member.flights) for member in members),
            done=self._done,
            lost=self._lost,
            refused=self._refused,
            restarts=dict(self.crew.restarts),
            recycled=self.crew.recycled,
            workers=tuple(member.snapshot() for member in members),
            tenants={
                name: TenantSnapshot(
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


def settle(flight: Flight, reply: LegReply) -> None:
    """Give the reply to whoever still waits for it."""
    if not flight.future.done():
        flight.future.set_result(reply)


def refuse(flight: Flight, error: Exception) -> None:
    """The same with an error."""
    if not flight.future.done():
        flight.future.set_exception(error)
