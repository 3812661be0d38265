"""What workers say about their calls, and what comes of it. Nothing of it is believed unchecked."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from pydantic import ValidationError

from runner.model.outcome import FlowOutcome
from runner.suspension.stores import SuspendedFlow, store_key
from runner.workers.child.leg_scheduler import LONG_SECONDS
from runner.workers.parent.builds import Builds
from runner.workers.parent.dispatch import Dispatcher, refuse, settle
from runner.workers.parent.host_services import Stores
from runner.workers.parent.pending_call import Flight, lost, refusal, too_much
from runner.workers.parent.requests import LegReply
from runner.workers.parent.worker import Member
from runner.workers.protocol import messages
from runner.workers.protocol.codec import read_failure
from runner.workers.protocol.frames import FrameError
from sandbox.core.failure import BuildError

_log: Final = logging.getLogger(__name__)


class Hearing:
    """Args:
    stores: answer what guests ask for.
    builds: answer what compilers ask for.
    """

    def __init__(self, stores: Stores, builds: Builds) -> None:
        self._stores = stores
        self._builds = builds
        self._tasks: set[asyncio.Task[None]] = set()
        self.calls: Dispatcher
        """Set when the pool starts."""

    async def finish(self) -> None:
        """Wait for what is under way."""
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def on_message(self, member: Member, message: Any, body: bytes) -> None:
        """Take one message. Raises `FrameError` for what no worker of ours says."""
        if isinstance(message, messages.Log):
            if member.logs(time.monotonic()):
                level = logging.getLevelNamesMapping()[message.level.upper()]
                _log.log(level, "worker %d: %s", member.process.pid, message.text)
            return
        if isinstance(message, messages.ImageAsk | messages.TranspileAsk):
            member.asked()
            self._later(self._compiling(member, message, body))
            return
        flight = member.flights.get(getattr(message, "id", 0))
        if flight is None:
            if not isinstance(message, _MAY_BE_LATE):
                raise FrameError(f"{message.t} about a call that it does not have")
            return
        handler = _HANDLERS.get(type(message))
        if handler is None or (flight.is_build and handler not in _OF_BUILDS):
            raise FrameError(f"{message.t} at the wrong time")
        handler(self, member, flight, message, body)

    def _on_done(self, member: Member, flight: Flight, message: messages.Done, body: bytes) -> None:
        if flight.is_build or sum(message.parts) != len(body):
            raise FrameError("a reply whose parts are not its body")
        ends = list(itertools.accumulate(message.parts))
        first, *others = (body[end - size : end] for end, size in zip(ends, message.parts, strict=True))
        try:
            outcome = FlowOutcome.from_json(first)
            waiting = SuspendedFlow.model_validate_json(others[0]) if others[0] else None
            kept = FlowOutcome.from_json(others[1]) if others[1] else None
        except ValidationError as error:
            raise FrameError(f"no outcome: {error.error_count()} problems") from None
        waiting = flight.checked(outcome, waiting, message.expires_at)
        if kept is not None:
            flight.check_own(kept)
        record = others[2].decode("utf-8", "replace") if others[2] else None
        self.calls.charge(flight, sum(item.statistics.cpu_ms for item in outcome.actions if item.statistics))
        reply = self.calls.reply(flight, outcome, record=record, suspended=waiting, kept=kept)
        self.calls.over(member, flight)
        if waiting is None or flight.future.done():
            settle(flight, reply)
        else:
            assert outcome.suspension is not None
            key = store_key(flight.tenant, outcome.suspension.handle)
            self._later(self._keep(flight, key, waiting, reply))

    async def _keep(self, flight: Flight, key: str, waiting: SuspendedFlow, reply: LegReply) -> None:
        """Store a suspended flow before its outcome is told."""
        try:
            text = waiting.model_dump_json()
            await asyncio.to_thread(self._stores.suspended.put, key, text, waiting.expires_at)
        except Exception as error:  # noqa: BLE001 - whoever waits for the call gets it
            if not flight.future.done():
                flight.future.set_exception(error)
        else:
            settle(flight, reply)

    def _on_refused(self, member: Member, flight: Flight, message: messages.Refused, _: bytes) -> None:
        self.calls.over(member, flight)
        refuse(flight, refusal(message))

    def _on_built(self, member: Member, flight: Flight, message: messages.Built, body: bytes) -> None:
        if not flight.is_build:
            raise FrameError("a build that was not asked for")
        failure = None if message.ok else read_failure(body)
        self.calls.over(member, flight)
        if failure is not None:
            refuse(flight, BuildError(failure))
        elif not flight.future.done():
            flight.future.set_result(None)

    async def _compiling(
        self, member: Member, ask: messages.ImageAsk | messages.TranspileAsk, body: bytes
    ) -> None:
        if isinstance(ask, messages.ImageAsk):
            found = await self._builds.image(member.sources.dependencies(ask.digest))
        else:
            found = await self._builds.transpiled(ask, body)
        member.answer(ask.ask, *found)

    def _on_fault(self, member: Member, flight: Flight, message: messages.Fault, _: bytes) -> None:
        self.calls.over(member, flight)
        self.calls.give_up(flight, lost(f"met an internal fault ({message.fault})"))

    def _on_over(self, member: Member, flight: Flight, _message: messages.Over, _: bytes) -> None:
        self.calls.over(member, flight)
        self.calls.give_up(flight, too_much())

    def _on_moved(self, member: Member, flight: Flight, message: messages.Moved, _: bytes) -> None:
        if message.state == "ends":
            flight.extend()
            return
        member.detached(flight)
        self.calls.computes(flight, message.state != "waits")
        if message.state == "long":
            flight.long = True
            self.calls.charge(flight, LONG_SECONDS * 1000)
        self.calls.dispatch()

    def _on_ask(self, member: Member, flight: Flight, message: Any, body: bytes) -> None:
        async def answer() -> None:
            member.answer(message.ask, await self._stores.answer(flight, message, body))

        member.asked()
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

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_HANDLERS: Final[dict[type, Callable[[Hearing, Member, Flight, Any, bytes], None]]] = {
    messages.Done: Hearing._on_done,
    messages.Refused: Hearing._on_refused,
    messages.Fault: Hearing._on_fault,
    messages.Over: Hearing._on_over,
    messages.Built: Hearing._on_built,
    messages.Moved: Hearing._on_moved,
    messages.CacheAsk: Hearing._on_ask,
    messages.DirectoryAsk: Hearing._on_ask,
    messages.TakeAsk: Hearing._on_ask,
    messages.Fetch: Hearing._on_fetch,
    messages.FetchCancel: Hearing._on_fetch_cancel,
    messages.SessionClose: Hearing._on_session_close,
}
_OF_BUILDS: Final = (
    Hearing._on_built,
    Hearing._on_fault,
    Hearing._on_over,
    Hearing._on_moved,
)
_MAY_BE_LATE: Final = (
    messages.Moved,
    messages.FetchCancel,
    messages.SessionClose,
)
"""Said beside the thread of the leg, whose end may overtake it."""
