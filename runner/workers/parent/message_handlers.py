"""Handlers of what workers say about their calls. Nothing of it is believed unchecked."""

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
from runner.privacy.fidelity import Fidelity
from runner.shadow.leg import LEG_SHADOW
from runner.suspension.stores import SuspendedFlow, store_key
from runner.workers.child.leg_scheduler import LONG_SECONDS
from runner.workers.parent.dispatch import Dispatcher, refuse, settle
from runner.workers.parent.pending_call import PendingCall, lost, refusal, too_much
from runner.workers.parent.processes.worker import Worker
from runner.workers.parent.requests import LegRecord, LegReply
from runner.workers.parent.services.builds import BuildService
from runner.workers.parent.services.host_services import Stores
from runner.workers.protocol import messages
from runner.workers.protocol.codec import read_failure
from runner.workers.protocol.frames import FrameError
from sandbox.core.failure import BuildError

_log: Final = logging.getLogger(__name__)


class MessageHandlers:
    """Args:
    stores: answer what guests ask for.
    builds: answer what compilers ask for.
    """

    def __init__(self, stores: Stores, builds: BuildService) -> None:
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

    def on_message(self, worker: Worker, message: Any, body: bytes) -> None:
        """Take one message. Raises `FrameError` for what no worker of ours says."""
        if isinstance(message, messages.Log):
            if worker.logs(time.monotonic()):
                level = logging.getLevelNamesMapping()[message.level.upper()]
                _log.log(level, "worker %d: %s", worker.process.pid, message.text)
            return
        if isinstance(message, messages.ImageAsk | messages.TranspileAsk):
            worker.asked()
            self._later(self._compiling(worker, message, body))
            return
        if isinstance(message, messages.Kept):
            self._on_kept(worker, message, body)
            return
        call = worker.pending.get(getattr(message, "id", 0))
        if call is None:
            if not isinstance(message, _MAY_BE_LATE):
                raise FrameError(f"{message.t} about a call that it does not have")
            return
        handler = _HANDLERS.get(type(message))
        if handler is None or (call.is_build and handler not in _OF_BUILDS):
            raise FrameError(f"{message.t} at the wrong time")
        handler(self, worker, call, message, body)

    def _on_done(self, worker: Worker, call: PendingCall, message: messages.Done, body: bytes) -> None:
        if call.is_build or sum(message.parts) != len(body):
            raise FrameError("a reply whose parts are not its body")
        ends = list(itertools.accumulate(message.parts))
        first, *others = (body[end - size : end] for end, size in zip(ends, message.parts, strict=True))
        try:
            outcome = FlowOutcome.from_json(first)
            waiting = SuspendedFlow.model_validate_json(others[0]) if others[0] else None
            kept = FlowOutcome.from_json(others[1]) if others[1] else None
        except ValidationError as error:
            raise FrameError(f"no outcome: {error.error_count()} problems") from None
        waiting = call.checked(outcome, waiting, message.expires_at)
        if kept is not None:
            call.check_own(kept)
        self.calls.charge(call, sum(item.statistics.cpu_ms for item in outcome.actions if item.statistics))
        reply = self.calls.reply(
            call, outcome, record=self._recording(worker, call, outcome), suspended=waiting, kept=kept
        )
        self.calls.over(worker, call)
        if waiting is None or not call.keep or call.future.done():
            settle(call, reply)
        else:
            assert outcome.suspension is not None
            key = store_key(call.tenant, outcome.suspension.handle)
            self._later(self._keep(call, key, waiting, reply))

    def _recording(
        self, worker: Worker, call: PendingCall, outcome: FlowOutcome
    ) -> asyncio.Future[LegRecord] | None:
        """The record that its worker makes now; None when the outcome is not to be kept."""
        if call.wish is None or call.wish.reason(outcome) is None:
            return None
        call.record = asyncio.get_running_loop().create_future()
        worker.recording[call.number] = call
        return call.record

    def _on_kept(self, worker: Worker, message: messages.Kept, body: bytes) -> None:
        call = worker.recording.pop(message.id, None)
        if call is None or call.wish is None or call.record is None or len(body) > call.wish.most_bytes:
            raise FrameError("a record that was not asked for")
        if message.lost:
            call.record.set_result(LegRecord(lost="large" if message.lost == "large" else "worker"))
        else:
            call.record.set_result(LegRecord(body))

    async def _keep(self, call: PendingCall, key: str, waiting: SuspendedFlow, reply: LegReply) -> None:
        """Store a suspended flow before its outcome is told."""
        try:
            text = waiting.model_dump_json()
            await asyncio.to_thread(self._stores.suspended.put, key, text, waiting.expires_at)
        except Exception as error:  # noqa: BLE001 - whoever waits for the call gets it
            if not call.future.done():
                call.future.set_exception(error)
        else:
            settle(call, reply)

    def _on_refused(self, worker: Worker, call: PendingCall, message: messages.Refused, _: bytes) -> None:
        if call.is_build and (call.head["t"], message.kind) != ("shadow", "record"):
            raise FrameError("a refusal of another kind of call")
        self.calls.over(worker, call)
        refuse(call, refusal(message))

    def _on_built(self, worker: Worker, call: PendingCall, message: messages.Built, body: bytes) -> None:
        if call.head["t"] not in ("build", "warm"):
            raise FrameError("a build that was not asked for")
        failure = None if message.ok else read_failure(body)
        self.calls.over(worker, call)
        if failure is not None:
            refuse(call, BuildError(failure))
        elif not call.future.done():
            call.future.set_result(None)

    def _on_shadowed(self, worker: Worker, call: PendingCall, _: messages.Shadowed, body: bytes) -> None:
        if call.head["t"] != "shadow":
            raise FrameError("a shadow run that was not asked for")
        try:
            found = LEG_SHADOW.validate_json(body)
        except ValidationError:
            raise FrameError("a shadow run that is none") from None
        self.calls.over(worker, call)
        if not call.future.done():
            call.future.set_result(found)

    def _on_stamped(self, worker: Worker, call: PendingCall, message: messages.Stamped, body: bytes) -> None:
        if call.head["t"] != "stamp":
            raise FrameError(f"a stamp that was not asked for: {message.id}")
        try:
            found = Fidelity.model_validate_json(body)
        except ValidationError as error:
            raise FrameError("a stamp that is none") from error
        self.calls.over(worker, call)
        if not call.future.done():
            call.future.set_result(found)

    async def _compiling(
        self, worker: Worker, ask: messages.ImageAsk | messages.TranspileAsk, body: bytes
    ) -> None:
        if isinstance(ask, messages.ImageAsk):
            found = await self._builds.image(worker.sources.dependencies(ask.digest))
        else:
            found = await self._builds.transpiled(ask, body)
        worker.answer(ask.ask, *found)

    def _on_fault(self, worker: Worker, call: PendingCall, message: messages.Fault, _: bytes) -> None:
        self.calls.over(worker, call)
        self.calls.give_up(call, lost(f"met an internal fault ({message.fault})"))

    def _on_over(self, worker: Worker, call: PendingCall, _message: messages.Over, _: bytes) -> None:
        self.calls.over(worker, call)
        self.calls.give_up(call, too_much())

    def _on_moved(self, worker: Worker, call: PendingCall, message: messages.Moved, _: bytes) -> None:
        if message.state == "ends":
            call.extend()
            return
        worker.detached(call)
        self.calls.computes(call, message.state != "waits")
        if message.state == "long":
            call.long = True
            self.calls.charge(call, LONG_SECONDS * 1000)
        self.calls.dispatch()

    def _on_ask(self, worker: Worker, call: PendingCall, message: Any, body: bytes) -> None:
        async def answer() -> None:
            worker.answer(message.ask, await self._stores.answer(call, message, body))

        worker.asked()
        self._later(answer())

    def _on_fetch(self, _member: Worker, call: PendingCall, message: messages.Fetch, body: bytes) -> None:
        assert call.fetches is not None
        if call.future.done():
            call.fetches.close()
        call.fetches.start(message, body, call.deadline)

    def _on_fetch_cancel(self, _member: Worker, call: PendingCall, message: Any, _: bytes) -> None:
        assert call.fetches is not None
        call.fetches.cancel(message.session, message.fetch)

    def _on_session_close(self, _member: Worker, call: PendingCall, message: Any, _: bytes) -> None:
        assert call.fetches is not None
        call.fetches.close_session(message.session)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_HANDLERS: Final[dict[type, Callable[[MessageHandlers, Worker, PendingCall, Any, bytes], None]]] = {
    messages.Done: MessageHandlers._on_done,
    messages.Refused: MessageHandlers._on_refused,
    messages.Fault: MessageHandlers._on_fault,
    messages.Over: MessageHandlers._on_over,
    messages.Built: MessageHandlers._on_built,
    messages.Shadowed: MessageHandlers._on_shadowed,
    messages.Stamped: MessageHandlers._on_stamped,
    messages.Moved: MessageHandlers._on_moved,
    messages.CacheAsk: MessageHandlers._on_ask,
    messages.DirectoryAsk: MessageHandlers._on_ask,
    messages.TakeAsk: MessageHandlers._on_ask,
    messages.Fetch: MessageHandlers._on_fetch,
    messages.FetchCancel: MessageHandlers._on_fetch_cancel,
    messages.SessionClose: MessageHandlers._on_session_close,
}
_OF_BUILDS: Final = (
    MessageHandlers._on_built,
    MessageHandlers._on_shadowed,
    MessageHandlers._on_refused,
    MessageHandlers._on_stamped,
    MessageHandlers._on_fault,
    MessageHandlers._on_over,
    MessageHandlers._on_moved,
)
_MAY_BE_LATE: Final = (
    messages.Moved,
    messages.FetchCancel,
    messages.SessionClose,
)
"""Said beside the thread of the leg, whose end may overtake it."""
