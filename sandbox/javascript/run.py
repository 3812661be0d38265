"""One execution in one instance: start, wait, resume, until the guest reports its end."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Sequence
from typing import Final

from sandbox.core.caps import LINGER_JOBS, LINGER_JOBS_MS, Limits
from sandbox.core.failure import Failure
from sandbox.core.program import Request
from sandbox.egress.wire import handle_of
from sandbox.javascript.checkpoints import Prepared
from sandbox.javascript.errors import report
from sandbox.javascript.hostcalls import Host
from sandbox.javascript.image import Image
from sandbox.javascript.quickjs.machine import (
    TAG_OBJECT,
    UNDEFINED,
    GuestExceptionError,
    GuestStarvedError,
    Machine,
    number,
    tag,
)
from sandbox.port.drain import linger, until
from sandbox.port.interface import HostPort
from sandbox.wasm.calls import entered
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.slices import Timed
from sandbox.wasm.traps import GuestStopped, StopKind

_PENDING, _REJECTED = 0, 2
_STATUS_EXPORTS: Final = 3
_ENOMEM: Final = 48


class ProgramInstance:
    """A fresh instance with one program in it. Use it once.

    Attributes:
        exported_names: what `load` found.
        peak_memory_bytes: linear memory at the end.
    """

    def __init__(self, image: Image, prepared: Prepared, limits: Limits, port: HostPort) -> None:
        self._image = image
        self._prepared = prepared
        self._program = prepared.program
        self._limits = limits
        self._port = port
        self._host = Host(port, prepared.program, image.files)
        self._handler = ""
        self._deadline = time.monotonic() + limits.wall_ms / 1000
        self.exported_names: tuple[str, ...] = ()
        self.peak_memory_bytes = 0
        self._refused_memory = False

    def execute(self, request: Request) -> Failure | None:
        """Call the handler that `request` names. None when it completed."""
        self._handler = request.handler
        modules = f',"modules":{request.module_secrets}' if request.module_secrets else ""
        return self._perform(f'{{"handler":{json.dumps(request.handler)},"event":{request.event}{modules}}}')

    def load(self, wanted: Sequence[str] = ()) -> Failure | None:
        """Run the top level alone, to learn what it exports; `wanted` are asked for by themselves as well.
        None when it completed."""
        return self._perform(json.dumps({"wanted": list(wanted)}))

    def _perform(self, request: str) -> Failure | None:
        host = self._host
        try:
            with entered(host), self._image.store(self._limits, self._deadline) as timed:
                try:
                    self._boot(timed)
                    completed = self._drive(request)
                finally:
                    self._measure()
        except GuestStopped as stop:
            return self._conclude(host.stopped or stop.kind)
        except GuestExceptionError as error:
            return self._conclude_exception(error)
        except GuestStarvedError:
            host.starved = True
            return self._conclude(StopKind.HOST)
        except GuestMemoryError as error:
            host.fault(error)
            return self._conclude(StopKind.HOST)
        if completed:
            return None
        return report.timeout(self._limits) if self._late() else report.unsettled()

    def _late(self) -> bool:
        return time.monotonic() >= self._deadline

    def _boot(self, timed: Timed) -> None:
        self._timed = timed
        exports = self._image.instantiate(timed.store)
        machine = self._host.machine = Machine(exports, self._image.layout)
        self._prepared.put_into(machine)
        seed = struct.unpack("<Q", self._port.random(8).ljust(8, b"\0"))[0] or 1  # 0 is its fixed point
        machine.memory.write(machine.layout.random_state, struct.pack("<Q", seed))

    def _arm(self) -> None:
        """Let the guest run until the deadline; again after each wait, because waits take real time."""
        self._timed.arm(self._deadline)

    def _drive(self, request: str) -> bool:
        """Whether the handler completed. False when nothing is left that could go on; all other ends
        are a `GuestStopped`."""
        machine, layout = self._host.machine, self._image.layout
        outcome = machine.call(layout.start, machine.parse_json(request))
        if tag(outcome) == TAG_OBJECT and machine.promise_state(outcome) is None:
            outcome = machine.call(layout.adopt, outcome)
        while not self._settled(outcome):
            delay = number(machine.call(layout.poll)) or 0.0
            if delay < 0 and not self._host.handles:
                self._tell_rejections()
                return False
            machine.call(layout.resume, self._wait(delay))
        self._finish(outcome)
        self._let_go()
        return True

    def _finish(self, outcome: int) -> None:
        """Run what is queued when the handler has ended, and what that queues, with api and console open: all
        that Node runs before it turns to a timer or an answer. A queue without end is a timeout."""
        machine = self._host.machine
        rejected = machine.promise_state(outcome) == _REJECTED
        self._host.rejections.pop(outcome, None)
        while machine.run_job() or self._tell_rejections():
            pass
        if self._late():  # a host call took the rest of the time, and what came of it came too late
            raise GuestStopped(StopKind.DEADLINE)
        if rejected:
            reason = machine.exports.JS_PromiseResult(machine.layout.context, outcome)
            machine.call(machine.layout.fail, reason)

    def _tell_rejections(self) -> bool:
        """Tell of promises that were rejected with nobody to handle it; False when there is none."""
        machine, rejections = self._host.machine, self._host.rejections
        told = list(rejections.values())
        rejections.clear()
        for _, reason in told:
            value = struct.unpack("<q", machine.memory.read(reason, 8, 8))[0]
            machine.call(machine.layout.tell, value)
        return bool(told)

    def _let_go(self) -> None:
        """Let requests that the handler sent and did not wait for go out, as webhooks often are sent.

        What hangs on them goes on for a while, because some lead to further requests: with no api and no
        console any more (threat-model K5), and to no other effect.
        """
        host, end = self._host, until(self._deadline)
        host.over = True
        try:
            if host.handles or number(host.machine.call(host.machine.layout.poll)) != -1:
                host.machine.call(host.machine.layout.over)
                self._go_on(end)
        except (GuestStopped, GuestExceptionError, GuestStarvedError, GuestMemoryError):
            if host.broken is not None:
                raise
            linger(self._port, host.handles, end)

    def _go_on(self, end: float) -> None:
        """Run what is left over and comes to it by an answer, a timer of zero or a request's own limit."""
        machine, handles = self._host.machine, self._host.handles
        turns = self._left_over(end, LINGER_JOBS)
        while handles and (left := end - time.monotonic()) > 0 and self._port.fatal is None:
            delay = number(machine.call(machine.layout.poll)) or -1.0
            patience = left * 1000 if delay < 0 else min(left * 1000, delay)
            answer = self._port.wait_any(sorted(handles), patience)
            self._timed.arm(end)
            if answer:
                handles.discard(handle_of(answer))
                turns = LINGER_JOBS
            elif delay < 0:
                return
            machine.call(machine.layout.resume, machine.new_string(answer) if answer else UNDEFINED)
            turns = self._left_over(end, turns)

    def _left_over(self, end: float, turns: int) -> int:
        """Run queued jobs and timers of zero, `turns` at most and for a while; how many turns are left."""
        machine = self._host.machine
        self._timed.arm(min(end, time.monotonic() + LINGER_JOBS_MS / 1000))
        while turns > 0:
            if not machine.run_job():
                if number(machine.call(machine.layout.poll)) != 0:
                    break
                machine.call(machine.layout.resume, UNDEFINED)
            turns -= 1
        return turns

    def _settled(self, outcome: int) -> bool:
        """Run jobs until the handler has ended or none is left. Asks the engine, so that nothing a tenant
        patches can pretend an end."""
        machine = self._host.machine
        while machine.promise_state(outcome) == _PENDING:
            if not machine.run_job():
                return False
        return True

    def _wait(self, delay: float) -> int:
        """Wait for the next operation or timer; the answer as a guest value, undefined for a timer."""
        handles = self._host.handles
        if delay == 0 and not handles:
            return UNDEFINED
        answer = self._port.wait_any(sorted(handles), None if delay < 0 else delay)
        if self._port.fatal is not None:
            raise GuestStopped(StopKind.HOST)
        if self._late():
            raise GuestStopped(StopKind.DEADLINE)
        self._arm()
        if not answer:
            return UNDEFINED
        handles.discard(handle_of(answer))
        return self._host.machine.new_string(answer)

    # --- how it ended ---

    def _conclude(self, kind: StopKind) -> Failure | None:
        host = self._host
        if host.broken is not None and not isinstance(host.broken, Exception):
            raise host.broken  # the operator's interrupt
        if host.broken is not None:
            return report.internal(host.broken)
        if self._port.fatal is not None:
            return self._port.fatal
        if host.outcome is not None and kind is StopKind.HOST and not self._late():
            return self._concluded_by_guest(*host.outcome)
        if host.starved or self._refused_memory or kind is StopKind.MEMORY:
            return report.memory(self._limits)
        if kind is StopKind.DEADLINE or self._late():
            return report.timeout(self._limits)
        if kind is StopKind.STACK:
            return report.stack()
        return report.internal(RuntimeError(f"guest stopped: {kind.value}"))

    def _concluded_by_guest(self, status: int, detail: str) -> Failure | None:
        """An end that the guest reported; success is not one of them."""
        if status == _STATUS_EXPORTS:
            self.exported_names = report.names(detail)
            return None
        return report.from_guest(
            status,
            detail,
            self._program,
            self._limits,
            handler=self._handler,
            out_of_memory=self._refused_memory,
        )

    def _conclude_exception(self, error: GuestExceptionError) -> Failure | None:
        """The prelude catches everything, so only exhaustion inside it gets here."""
        if self._refused_memory:
            return report.memory(self._limits)
        return report.internal(error)

    def _measure(self) -> None:
        """Measurements that need a living instance: its memory, and whether it was refused more,
        which libc notes (threat-model M1)."""
        machine = getattr(self._host, "machine", None)
        if machine is not None:
            self.peak_memory_bytes = machine.memory.size
            self._refused_memory = machine.memory.read_u32(machine.layout.errno) == _ENOMEM
