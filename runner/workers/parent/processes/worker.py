"""One worker of the pool: its process, what it has, and what it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

from runner.workers.parent.pending_call import PendingCall
from runner.workers.parent.pool_stats import WorkerStats
from runner.workers.parent.processes.process import WorkerProcess
from runner.workers.parent.processes.sources import SourceTable
from runner.workers.parent.settings import PoolSettings
from runner.workers.protocol.codec import action_list
from runner.workers.protocol.frames import FrameError, UnsendableError, encode

AHEAD: Final = 2
"""Legs of one lane that a worker has and that hold up others: one that runs, and the next, so that it need
not wait for us. More of them would wait in the worker, where tenants do not take turns."""

_LOG_LINES: Final = 100
"""Of one worker, in a second."""
STARTING, READY, DRAINING = "starting", "ready", "draining"


class Worker:
    """Args:
    on_message: gets this worker's messages about its legs.
    on_change: told when it became ready.
    on_lost: told once when its process is gone; its legs are still in `pending`.
    """

    def __init__(
        self,
        settings: PoolSettings,
        on_message: Callable[[Worker, Any, bytes], None],
        on_ready: Callable[[Worker], None],
        on_lost: Callable[[Worker], None],
    ) -> None:
        self._settings = settings
        self._on_message = on_message
        self._on_ready = on_ready
        self.process = WorkerProcess(settings.command, self._received, lambda: on_lost(self))
        self.state = STARTING
        self.pending: dict[int, PendingCall] = {}
        self.recording: dict[int, PendingCall] = {}
        self.sources = SourceTable()
        self.legs = 0
        self.started_at = self.heard_at = time.monotonic()
        self.rights: dict[str, bool] = {}
        self.first_bytes = 0
        self._holding = ([], [])  # type: tuple[list[PendingCall], list[PendingCall]]
        self._pings = 0
        self._asks = 0
        self._late_cpu: float | None = None
        self._log_until, self._log_left = 0.0, 0

    # --- what it can take ---

    def room(self, low: bool) -> int:
        """The number of legs of a lane that it may still get."""
        if self.state != READY or len(self.pending) >= self._settings.slots:
            return 0
        return AHEAD - len(self._holding[low])

    @property
    def free(self) -> int:
        """Legs that it may get in all."""
        return max(0, self._settings.slots - len(self.pending)) if self.state == READY else 0

    def send(self, call: PendingCall) -> None:
        """Give it a leg. Raises `UnsendableError`, and then it has none."""
        frames: list[bytes] = []
        try:
            new = self._encode(call, frames)
        except UnsendableError:
            self.process.send(*frames)  # sources that it is taken to have now
            raise
        self.pending[call.number] = call
        self._holding[call.low].append(call)
        call.detached = False
        call.tries += 1
        call.arm(new, self._settings.grace_seconds)
        self.process.send(*frames)

    def _encode(self, call: PendingCall, frames: list[bytes]) -> int:
        """Append what it must be sent; the number of sources that are new to it."""
        head = {**call.head, "low": call.low}
        number = self.sources.number
        if head["t"] == "build":
            head["source"] = number(call.sources[0], frames)
        elif head["t"] in ("leg", "shadow"):
            head["actions"] = [
                action_list(item, lambda source: number(source, frames)) for item in call.actions
            ]
            if head["t"] == "shadow":
                head["control"] = [
                    action_list(item, lambda source: number(source, frames)) for item in call.control
                ]
        else:
            for action in call.actions:
                self.sources.know(action.source)
        new = len(frames)
        self.sources.shrink(len(call.sources), frames)
        frames.append(encode(head, call.body))
        return new if head["t"] != "resume" else len(call.actions)

    def detached(self, call: PendingCall) -> None:
        """The leg does not hold up others any more."""
        if not call.detached:
            call.detached = True
            self._holding[call.low].remove(call)

    def ended(self, call: PendingCall) -> None:
        """The leg is over."""
        self.detached(call)
        del self.pending[call.number]
        self.legs += 1

    def begun(self, call: PendingCall) -> bool:
        """Whether the leg may have begun: a lane runs in order, and says when it goes on to the next."""
        return call.detached or self._holding[call.low][0] is call

    def asked(self) -> None:
        """It asked something. Each of its legs waits for its answer, so more at a time are a lie."""
        self._asks += 1
        if self._asks > self._settings.slots:
            raise FrameError("more questions than legs")

    def answer(self, ask: int, answer: dict[str, Any], body: bytes = b"") -> None:
        """Send the answer."""
        self._asks -= 1
        try:
            self.process.tell({"t": "answer", "ask": ask, **answer}, body)
        except UnsendableError as error:
            self.process.tell({"t": "answer", "ask": ask, "error": str(error)})

    def logs(self, now: float) -> bool:
        """Whether another line of it is logged: so many a second that a lying worker cannot fill a disk."""
        if now >= self._log_until:
            self._log_until, self._log_left = now + 1.0, _LOG_LINES
        self._log_left -= 1
        return self._log_left >= 0

    # --- health ---

    def ping(self) -> None:
        """Ask for a sign of life."""
        self._pings += 1
        self.process.tell({"t": "ping", "n": self._pings})

    def silent_seconds(self, now: float) -> float:
        """Since its last message."""
        return now - self.heard_at

    def late(self, now: float) -> bool:
        """Whether one of its legs should have ended, and it had the processor time to end it: on a machine
        that has too much to do, a worker that is killed is only one more that has to start."""
        deadline = min((call.deadline for call in self.pending.values()), default=math.inf)
        if deadline >= now:
            self._late_cpu = None
            return False
        used = self.process.processor_seconds()
        if self._late_cpu is None:
            self._late_cpu = used
        grace = self._settings.grace_seconds
        return used - self._late_cpu >= grace or now - deadline >= 2 * grace or used == 0

    def worn(self) -> bool:
        """It has run or grown so much that another one shall take its place."""
        held = sum(call.memory_bytes() for call in self.pending.values())  # until they end
        grown = self.process.resident_bytes() - self.first_bytes - held
        return self.legs >= self._settings.recycle_legs or grown >= self._settings.recycle_bytes

    def stats(self) -> WorkerStats:
        """See there."""
        return WorkerStats(
            pid=self.process.pid,
            state=self.state,
            running=len(self.pending),
            legs=self.legs,
            sources=len(self.sources),
            resident_bytes=self.process.resident_bytes(),
            rights=self.rights,
        )

    # --- messages ---

    def _received(self, message: Any, body: bytes) -> None:
        self.heard_at = time.monotonic()
        if self.state == STARTING and message.t not in ("ready", "log"):
            raise FrameError("a message before the rights were given up")
        if message.t == "pong":
            return
        if message.t == "ready":
            if self.state != STARTING:
                raise FrameError("ready twice")
            self.state, self.rights = READY, message.rights
            self.first_bytes = self.process.resident_bytes()
            self._on_ready(self)
            return
        self._on_message(self, message, body)
