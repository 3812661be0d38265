"""The pool: what the service's event loop uses to run legs and builds in workers (decision 20)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import math
import secrets as tokens
import time
from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

from runner.action import source_digest, with_unique_names
from runner.errors import FlowError
from runner.library import Caches, public_egress
from runner.outcome import FlowOutcome
from runner.resuming import plain, read_flow
from runner.suspension import MemoryStore, SuspendedFlow, SuspensionStore, store_key
from runner.workers import answers, messages
from runner.workers.calls import LegCall, LegReply, ResumeCall, TooBusyError
from runner.workers.codec import settings_json
from runner.workers.crew import Crew, is_late
from runner.workers.fetches import CallFetches
from runner.workers.flight import Flight, lost, refusal
from runner.workers.frames import FrameError
from runner.workers.member import READY, Member
from runner.workers.queueing import FairQueue, QueueFullError
from runner.workers.settings import PoolSettings
from runner.workers.snapshot import PoolSnapshot, TenantSnapshot
from runner.workers.usage import Usage
from sandbox.egress.model import Egress
from triggers import CacheStore, Directory, StaticDirectory, get_trigger

_log: Final = logging.getLogger(__name__)
_MOST_TRIES: Final = 3
"""Times that a leg is given to a worker which dies before the leg began."""


class WorkerPool:
    """Runs flows as `runner.Runner` does, in processes with few rights. For one event loop.

    Args:
        settings: sizes and limits of the pool.
        egress: how Actions reach the network; the default refuses private addresses.
        store: where suspended flows wait.
        caches: gives the cache of a tenant and trigger.
        directory: gives the directory of a tenant.
    """

    def __init__(
        self,
        settings: PoolSettings | None = None,
        *,
        egress: Egress | None = None,
        store: SuspensionStore | None = None,
        caches: Callable[[str, str], CacheStore] | None = None,
        directory: Callable[[str], Directory] | None = None,
    ) -> None:
        self.settings = settings or PoolSettings()
        self._egress = egress or public_egress()
        self._store = store or MemoryStore()
        self._stores = answers.Stores(
            self._store, caches or Caches(), directory or (lambda _tenant: StaticDirectory())
        )
        self._queue: FairQueue[Flight] = FairQueue(
            tenant_running=self.settings.tenant_running,
            tenant_queue=self.settings.tenant_queue,
            queue=self.settings.queue,
        )
        self._usage = Usage()
        self._numbers = itertools.count(1)
        self._crew: Crew | None = None
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done = self._lost = self._refused = 0
        self._mean_ms = 10.0

    # --- life ---

    async def start(self) -> None:
        """Start the workers; returns when all are ready. Raises `WorkerStartError`."""
        self._loop = asyncio.get_running_loop()
        self._crew = Crew(self.settings, self._on_message, self._dispatch, self._on_lost, self._on_sweep)
        await self._crew.start()

    async def stop(self, grace_seconds: float = 20.0) -> None:
        """Refuse new calls, finish those that wait or run, for at most `grace_seconds`, and end the workers.
        What is left then ends as an `internal` failure."""
        self._stopping = True
        if self._crew is None:
            return
        deadline = time.monotonic() + grace_seconds
        while self._busy() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for flight in self._queue.remove_all(lambda _: True):
            self._refuse(flight, TooBusyError("stopping", 1))
        for member in self._crew.members:
            if member.flights:
                member.process.kill("stopped")
        await self._crew.stop()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _busy(self) -> bool:
        assert self._crew is not None
        return bool(len(self._queue) or any(member.flights for member in self._crew.members))

    # --- calls ---

    async def run(self, tenant: str, call: LegCall) -> LegReply:
        """Run the first leg of a flow.

        Raises:
            TooBusyError: nothing ran.
            UnknownTriggerError, EventError, FlowError: as `Runner.run` raises them.
        """
        trigger = get_trigger(call.trigger)
        actions = with_unique_names(call.actions)
        execution_id = call.execution_id or f"exe_{tokens.token_hex(16)}"
        sources = tuple(
            source for action in actions for source in (action.source, action.last_good) if source is not None
        )
        flight = self._flight(
            tenant,
            head={
                "t": "leg",
                "trigger": trigger.id,
                "tenant": tenant,
                "execution_id": execution_id,
                "rules": call.executed_rules,
                "settings": settings_json(call.settings),
                "record": call.record,
            },
            body=_event_json(trigger, call.event),
            sources=sources,
            settings=call.settings,
        )
        flight.trigger, flight.actions, flight.execution_id = trigger, actions, execution_id
        reply: LegReply = await self._fly(flight)
        return reply

    async def resume(self, tenant: str, call: ResumeCall) -> LegReply:
        """Run a further leg of a suspended flow.

        Raises:
            TooBusyError: nothing ran; the handle stays usable.
            ResumeError, EventError: as `Runner.resume` raises them.
        """
        key = store_key(tenant, call.handle)
        text = await asyncio.to_thread(self._store.peek, key)
        waiting = read_flow(text)
        returned = {
            "handle": call.handle,
            "request": plain(call.request),
            "prompt": plain(call.prompt),
            "methods": plain(call.methods),
            "enrolled": plain(call.enrolled),
            "secrets": plain(call.secrets),
            "waiting": text,
        }
        flight = self._flight(
            tenant,
            head={
                "t": "resume",
                "tenant": tenant,
                "settings": settings_json(call.settings),
                "record": call.record,
            },
            body=_resume_json(returned),
            sources=(),
            settings=call.settings,
        )
        flight.trigger, flight.store_key = get_trigger(waiting.trigger), key
        flight.execution_id, flight.leg = waiting.execution_id, waiting.leg + 1
        # Without their secrets, which only the worker needs.
        flight.actions = tuple(item.action(dict.fromkeys(item.wanted, "")) for item in waiting.actions)
        reply: LegReply = await self._fly(flight)
        return reply

    async def waiting(self, tenant: str, handle: str) -> SuspendedFlow:
        """A suspended flow, without resuming it: which Actions it goes on with, and what secrets they want.
        Raises `ResumeError` as `resume` does."""
        return read_flow(await asyncio.to_thread(self._store.peek, store_key(tenant, handle)))

    def forget(self, *digests: str) -> None:
        """Drop the programs of versions that are not run any more, by `Action.digest`."""
        gone = frozenset(digests)
        for member in self._crew.members if self._crew else ():
            frame = member.sources.forget(lambda source: source_digest(source) in gone)
            if frame:
                member.process.send(frame)

    def snapshot(self) -> PoolSnapshot:
        """The pool's numbers now."""
        now = time.monotonic()
        members = self._crew.members if self._crew else []
        return PoolSnapshot(
            healthy=not self._stopping and any(member.state == READY for member in members),
            queue=len(self._queue),
            running=sum(len(member.flights) for member in members),
            done=self._done,
            lost=self._lost,
            refused=self._refused,
            restarts=dict(self._crew.restarts) if self._crew else {},
            recycled=self._crew.recycled if self._crew else 0,
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
                for name, (numbers, waiting) in self._queue.tenants().items()
            },
        )

    # --- the way of a call ---

    def _flight(self, tenant: str, **facts: Any) -> Flight:
        assert self._loop is not None, "the pool has not been started"
        number = next(self._numbers)
        facts["head"]["id"] = number
        return Flight(number, tenant, self._loop.create_future(), **facts)

    async def _fly(self, flight: Flight) -> Any:
        tenant = flight.tenant
        numbers = self._queue.numbers(tenant)
        try:
            if self._stopping:
                raise TooBusyError("stopping", 1)
            self._queue.put(tenant, flight)
        except QueueFullError as error:
            self._refused += 1
            numbers.refused += 1
            raise TooBusyError(error.scope, self._retry_after()) from None
        self._usage.seen(tenant, flight.queued_at)
        self._dispatch()
        try:
            return await flight.future
        except asyncio.CancelledError:
            if not self._queue.remove(tenant, flight) and flight.fetches is not None:
                flight.fetches.close()  # it runs on, and reaches nothing any more
            raise

    def _retry_after(self) -> int:
        workers = max(1, self.settings.workers)
        return min(30, max(1, math.ceil(len(self._queue) * self._mean_ms / 1000 / workers)))

    def _dispatch(self) -> None:
        """Give waiting calls to workers as long as both are there."""
        crew = self._crew
        if crew is None:
            return
        while len(self._queue):
            best = [self._roomiest(crew.members, low) for low in (False, True)]
            if best[0] is None and best[1] is None:
                return
            now = time.monotonic()

            def place(
                tenant: str, best: list[Member | None] = best, now: float = now
            ) -> tuple[Member, bool] | None:
                low = self._usage.heavy(self._queue.numbers(tenant), now)
                member = best[low]
                return None if member is None else (member, low)

            found = self._queue.take(place)
            if found is None:
                return
            flight, (member, low) = found
            flight.low = low
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
            loop = self._loop
            assert loop is not None

            def tell(head: Any, body: bytes) -> None:
                loop.call_soon_threadsafe(member.process.tell, head, body)

            allow = [action.allow for action in flight.actions]
            flight.fetches = CallFetches(flight.number, self._egress, allow, tell)
        member.send(flight)

    # --- what workers say ---

    def _on_message(self, member: Member, message: Any, body: bytes) -> None:
        if isinstance(message, messages.Log):
            _log.log(
                logging.getLevelNamesMapping()[message.level.upper()],
                "worker %d: %s",
                member.process.pid,
                message.text,
            )
            return
        flight = member.flights.get(getattr(message, "id", 0))
        if flight is None:
            if not isinstance(message, _MAY_BE_LATE):
                raise FrameError(f"{message.t} about a call that it does not have")
            return
        _HANDLERS[type(message)](self, member, flight, message, body)

    def _on_done(self, member: Member, flight: Flight, message: messages.Done, body: bytes) -> None:
        first, second, third = message.parts
        if first + second + third != len(body) or flight.is_build:
            raise FrameError("a reply whose parts are not its body")
        try:
            outcome = FlowOutcome.from_json(body[:first])
            waiting = SuspendedFlow.model_validate_json(body[first : first + second]) if second else None
        except ValidationError as error:
            raise FrameError(f"no outcome: {error.error_count()} problems") from None
        flight.checked(outcome, waiting, message.expires_at)
        record = body[first + second :].decode("utf-8", "replace") if third else None
        self._charge(flight, sum(item.statistics.cpu_ms for item in outcome.actions if item.statistics))
        reply = self._reply(flight, outcome, record=record, suspended=waiting)
        self._over(member, flight)
        if waiting is None or flight.future.done():
            _settle(flight, reply)
        else:
            assert outcome.suspension is not None
            key = store_key(flight.tenant, outcome.suspension.handle)
            text = body[first : first + second].decode()
            self._later(self._keep(flight, key, text, waiting.expires_at, reply))

    async def _keep(self, flight: Flight, key: str, text: str, expires_at: float, reply: LegReply) -> None:
        """Store a suspended flow before its outcome is told."""
        try:
            await asyncio.to_thread(self._store.put, key, text, expires_at)
        except Exception as error:  # noqa: BLE001 - whoever waits for the call gets it
            if not flight.future.done():
                flight.future.set_exception(error)
        else:
            _settle(flight, reply)

    def _on_refused(self, member: Member, flight: Flight, message: messages.Refused, _: bytes) -> None:
        self._over(member, flight)
        self._refuse(flight, refusal(message))

    def _on_fault(self, member: Member, flight: Flight, message: messages.Fault, _: bytes) -> None:
        self._over(member, flight)
        self._give_up(flight, f"met an internal fault ({message.fault})")

    def _on_detached(self, member: Member, flight: Flight, _message: Any, _: bytes) -> None:
        member.detached(flight)
        self._dispatch()

    def _on_demoted(self, _member: Member, flight: Flight, _message: Any, _: bytes) -> None:
        flight.demoted_at = time.monotonic()

    def _on_ask(self, member: Member, flight: Flight, message: Any, _: bytes) -> None:
        async def answer() -> None:
            found = await self._stores.answer(flight, message)
            member.process.tell({"t": "answer", "ask": message.ask, **found})

        self._later(answer())

    def _on_fetch(self, _member: Member, flight: Flight, message: messages.Fetch, body: bytes) -> None:
        assert flight.fetches is not None
        if flight.future.done():
            flight.fetches.close()
        flight.fetches.start(message, body, flight.deadline)

    def _on_fetch_cancel(self, _member: Member, flight: Flight, message: Any, _: bytes) -> None:
        assert flight.fetches is not None
        flight.fetches.cancel(message.session, message.fetch)

    def _on_session_close(self, _member: Member, flight: Flight, message: Any, _: bytes) -> None:
        assert flight.fetches is not None
        flight.fetches.close_session(message.session)

    def _on_lost(self, member: Member) -> None:
        """What a dead worker ran has failed; what it had not begun goes to another one."""
        for flight in list(member.flights.values()):
            begun = member.begun(flight)
            late = is_late(flight)
            self._queue.ended(flight.tenant)
            if flight.fetches is not None:
                flight.fetches.close()
            if begun and late:
                self._count_lost(flight)
                _settle(flight, self._reply(flight, flight.failed(flight.late())))
            elif begun or flight.tries >= _MOST_TRIES or self._stopping:
                self._give_up(flight, _REASONS.get(member.process.reason, "died"))
            elif not flight.future.done():
                self._queue.put_back(flight.tenant, flight)
        member.flights.clear()
        self._dispatch()

    def _on_sweep(self, now: float) -> None:
        oldest = now - self.settings.wait_seconds
        for flight in self._queue.remove_all(lambda item: item.queued_at < oldest):
            self._refuse(flight, TooBusyError("service", self._retry_after()))
        for member in self._crew.members if self._crew else ():
            for flight in member.flights.values():
                if flight.demoted_at:  # it loops; what it really used is known when it ends
                    self._charge(flight, (now - flight.demoted_at) * 1000)

    # --- ends ---

    def _charge(self, flight: Flight, cpu_ms: float) -> None:
        extra = max(0.0, cpu_ms - flight.charged_ms)
        flight.charged_ms += extra
        self._usage.add(self._queue.numbers(flight.tenant), extra, time.monotonic())

    def _over(self, member: Member, flight: Flight) -> None:
        member.ended(flight)
        self._queue.ended(flight.tenant)
        if flight.fetches is not None:
            flight.fetches.close()
        self._done += 1
        self._queue.numbers(flight.tenant).done += 1
        self._mean_ms += 0.05 * ((time.monotonic() - flight.sent_at) * 1000 - self._mean_ms)
        self._dispatch()

    def _reply(self, flight: Flight, outcome: FlowOutcome, **facts: Any) -> LegReply:
        now = time.monotonic()
        return LegReply.model_construct(
            outcome=outcome,
            record=facts.get("record"),
            suspended=facts.get("suspended"),
            waited_ms=(flight.sent_at - flight.queued_at) * 1000,
            ran_ms=(now - flight.sent_at) * 1000,
        )

    def _give_up(self, flight: Flight, reason: str) -> None:
        self._count_lost(flight)
        _settle(flight, self._reply(flight, flight.failed(lost(reason))))

    def _count_lost(self, flight: Flight) -> None:
        self._lost += 1
        self._queue.numbers(flight.tenant).lost += 1

    def _refuse(self, flight: Flight, error: Exception) -> None:
        if not flight.future.done():
            flight.future.set_exception(error)

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_HANDLERS: Final[dict[type, Callable[[WorkerPool, Member, Flight, Any, bytes], None]]] = {
    messages.Done: WorkerPool._on_done,
    messages.Refused: WorkerPool._on_refused,
    messages.Fault: WorkerPool._on_fault,
    messages.Detached: WorkerPool._on_detached,
    messages.Demoted: WorkerPool._on_demoted,
    messages.CacheAsk: WorkerPool._on_ask,
    messages.DirectoryAsk: WorkerPool._on_ask,
    messages.TakeAsk: WorkerPool._on_ask,
    messages.Fetch: WorkerPool._on_fetch,
    messages.FetchCancel: WorkerPool._on_fetch_cancel,
    messages.SessionClose: WorkerPool._on_session_close,
}
_MAY_BE_LATE: Final = (
    messages.Detached,
    messages.Demoted,
    messages.FetchCancel,
    messages.SessionClose,
)
"""Said beside the thread of the leg, whose end may overtake it."""
_REASONS: Final = {
    "protocol": "broke its protocol",
    "hung": "hung",
    "late": "was stopped",
    "stopped": "was stopped",
}


def _settle(flight: Flight, reply: LegReply) -> None:
    if not flight.future.done():
        flight.future.set_result(reply)


def _event_json(trigger: Any, event: Any) -> bytes:
    """The event as JSON. Raises `EventError` for what has no JSON form."""
    try:
        return json.dumps(event).encode()
    except (TypeError, ValueError, RecursionError):
        flat = plain(event)
        trigger.parse_event(flat)  # says what is wrong, and where
        return json.dumps(flat).encode()


def _resume_json(returned: dict[str, Any]) -> bytes:
    try:
        return json.dumps(returned).encode()
    except (TypeError, ValueError, RecursionError):
        raise FlowError("not_json", "what came back for the flow is no JSON") from None
