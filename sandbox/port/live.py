"""The port that meets the world: validates, counts, bounds and journals every host call of a guest."""

from __future__ import annotations

import base64
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from sandbox import hostcrypto
from sandbox.core import caps
from sandbox.core.failure import Failure, FailureCode, internal_failure
from sandbox.core.json_text import JsonRefusedError, encode, parse, utf8_length
from sandbox.core.pace import away
from sandbox.core.program import JsonValue
from sandbox.egress.model import Egress
from sandbox.egress.wire import MAX_REQUEST_JSON_BYTES
from sandbox.port.console_log import LogBook, measured
from sandbox.port.interface import ApiHost, ApiReply, Command, LogLine
from sandbox.port.journal import Journal
from sandbox.port.pending_fetches import Operations, PendingFetches
from sandbox.port.recorder import Recorder, abridged, fingerprint

_Args = ParamSpec("_Args")
_Answer = TypeVar("_Answer")

STOPPED: Final = encode({"error": {"name": "Error", "message": "the execution is over"}})
"""Answer to an api call after the end, or after a cap was passed."""
MAX_TIMEOUT_MS: Final = 3_600_000.0
"""Longest wait that is journalled; the execution's deadline comes long before."""
FAULT: Final = encode({"error": {"name": "Error", "message": "the host could not answer this call"}})
"""Answer to an api call that met a fault of ours; says nothing of it (threat-model E4)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks of a port, in seconds: since 1970, and since any fixed point."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


_Method: TypeAlias = Callable[Concatenate["LivePort", _Args], _Answer]


def _guarded(
    kind: str, refused: _Answer, faulted: _Answer
) -> Callable[[_Method[_Args, _Answer]], _Method[_Args, _Answer]]:
    """A guest-facing method: counted as `kind`, answered `refused` when nothing is accepted any more,
    and `faulted` when it raises, which ends the execution and never reaches the engine."""

    def decorate(method: _Method[_Args, _Answer]) -> _Method[_Args, _Answer]:
        def call(self: LivePort, /, *args: _Args.args, **kwargs: _Args.kwargs) -> _Answer:
            try:
                return method(self, *args, **kwargs) if self._admit(kind) else refused
            except Exception as error:  # noqa: BLE001 - nothing may reach the engine (threat-model E4)
                self._fault(kind, error)
                return faulted

        return functools.update_wrapper(call, method)

    return decorate


class LivePort:
    """One execution's port (`sandbox.port.interface.ExecutionPort`). Use it once.

    Args:
        api: answers api calls.
        egress: makes outbound requests.
        limits: of this execution.
        clock: what the guest reads as time. Waits and deadlines always use real time.
        entropy: source of the guest's random bytes.
    """

    def __init__(
        self,
        api: ApiHost,
        egress: Egress,
        limits: caps.Limits,
        *,
        clock: Clock = Clock(),
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._api = api
        self._egress = egress
        self._limits = limits
        self._clock = clock
        self._entropy = entropy
        self._logbook = LogBook(limits.log_bytes)
        self._recorder = Recorder()
        self._calls: Counter[str] = Counter()
        self._call_count = 0
        self._commands: list[Command] = []
        self._command_bytes = 0
        self._fatal: Failure | None = None
        self._open = False
        self._started = 0.0
        self._deadline = 0.0
        self._operations: Operations | None = None

    # --- engine-facing ---

    def begin(self, deadline: float) -> None:
        """See `HostPort.begin`."""
        self._operations = self._new_operations(deadline)
        self._deadline = deadline
        self._started = self._clock.monotonic()
        self._open = True

    def end(self) -> None:
        """See `HostPort.end`. Harmless when repeated."""
        self._open = False
        operations, self._operations = self._operations, None
        if operations is not None:
            try:
                operations.close()
            except Exception as error:  # noqa: BLE001 - see _guarded
                self._fault("end", error)

    @property
    def fatal(self) -> Failure | None:
        """See `HostPort.fatal`."""
        return self._fatal

    # --- what the execution did ---

    @property
    def logs(self) -> tuple[LogLine, ...]:
        return self._logbook.lines

    @property
    def logs_cut_bytes(self) -> int:
        return self._logbook.cut_bytes

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(self._commands)

    @property
    def host_calls(self) -> dict[str, int]:
        return dict(self._calls)

    @property
    def journal(self) -> Journal:
        return self._recorder.journal()

    # --- guest-facing ---

    @_guarded("log", None, None)
    def log(self, level: str, text: str) -> None:
        """See `HostPort.log`."""
        at_ms = self._elapsed_ms()
        kept = self._logbook.add(at_ms, level, text)
        if kept is None:
            self._recorder.dropped(measured(text)[1])
            return
        arguments = {"level": kept.level, "text": kept.text}
        self._record("log", arguments, {"at_ms": at_ms, "cut_bytes": kept.cut_bytes})

    @_guarded("api", STOPPED, FAULT)
    def api_call(self, path: str, arguments: str) -> str:
        """See `HostPort.api_call`."""
        if utf8_length(path) > caps.MAX_API_PATH_BYTES:
            reply, recorded = _no_such_member(), False
        else:
            reply, recorded = self._call_api(path, arguments)
        kept_path = abridged(path, caps.MAX_API_PATH_BYTES)
        kept = {"path": kept_path, "arguments": abridged(arguments, caps.MAX_API_ARGUMENT_BYTES)}
        self._record("api", kept, {"reply": reply, "recorded": recorded})
        return reply

    @_guarded("fetch", 1, 1)
    def start(self, operation: str, arguments: str) -> int:
        """See `HostPort.start`."""
        assert self._operations is not None
        handle = self._operations.start(operation, arguments)
        kept = abridged(arguments, MAX_REQUEST_JSON_BYTES)
        self._record("start", {"operation": abridged(operation, 64), "arguments": kept}, {"handle": handle})
        return handle

    @_guarded("wait", "", "")
    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        """See `HostPort.wait_any`."""
        assert self._operations is not None
        if timeout_ms is not None:
            timeout_ms = min(max(timeout_ms, 0.0), MAX_TIMEOUT_MS) if timeout_ms == timeout_ms else 0.0
        wanted = list(handles[: caps.MAX_FETCHES])
        with away():
            answer = self._operations.wait_any(wanted, timeout_ms)
        self._record("wait", {"handles": wanted, "timeout_ms": timeout_ms}, {"answer": answer})
        return answer

    @_guarded("cancel", None, None)
    def cancel(self, handle: int) -> None:
        """See `HostPort.cancel`."""
        assert self._operations is not None
        self._operations.cancel(handle)
        self._record("cancel", {"handle": handle}, {})

    def wall_ms(self) -> int:
        """See `HostPort.wall_ms`."""
        return self._read_clock("wall")

    def monotonic_ms(self) -> int:
        """See `HostPort.monotonic_ms`."""
        return self._read_clock("monotonic")

    @_guarded("random", b"", b"")
    def random(self, count: int) -> bytes:
        """See `HostPort.random`."""
        if not 0 <= count <= caps.MAX_RANDOM_BYTES:
            self._stop_output("asked for too many random bytes at once", "random", caps.MAX_RANDOM_BYTES)
            return b""
        drawn = self._entropy(count)
        self._record("random", {"count": count}, {"base64": base64.b64encode(drawn).decode("ascii")})
        return drawn

    @_guarded("compute", STOPPED, FAULT)
    def compute(self, operation: str, arguments: str) -> str:
        """See `HostPort.compute`. Only what draws random numbers is journalled, and not its arguments,
        which may hold keys."""
        answer = self._computed(operation, arguments)
        if time.monotonic() >= self._deadline:  # the guest may be done before it is stopped
            self._out_of_time()
        if operation in hostcrypto.RANDOMISED:
            kept = {"operation": operation, "arguments": fingerprint(arguments)}
            self._record("compute", kept, {"answer": answer})
        return answer

    # --- what the port stands on ---

    def _new_operations(self, deadline: float) -> Operations:
        """Make what starts requests and waits for them; `deadline` in `time.monotonic()` seconds."""
        return PendingFetches(self._egress, deadline)

    def _milliseconds(self, operation: str) -> int:
        """Read a clock, `wall` or `monotonic`, as the guest sees it."""
        if operation == "wall":
            return int(self._clock.wall() * 1000)
        return int((self._clock.monotonic() - self._started) * 1000)

    def _computed(self, operation: str, arguments: str) -> str:
        """The answer to `compute`."""
        return hostcrypto.compute(operation, arguments, self._deadline)

    # --- inside ---

    def _admit(self, kind: str) -> bool:
        """Count one call; False when nothing is accepted any more."""
        if not self._open or self._fatal is not None:
            return False
        if self._call_count >= caps.MAX_HOST_CALLS:
            self._stop_output("made too many host calls", "host_calls", caps.MAX_HOST_CALLS)
            return False
        self._call_count += 1
        self._calls[kind] += 1
        return True

    def _read_clock(self, operation: str) -> int:
        """Read and journal; the same millisecond again costs nothing of the call budget."""
        try:
            milliseconds = self._milliseconds(operation)
            if self._open and self._fatal is None and self._recorder.clock(operation, milliseconds):
                self._admit("clock")
        except Exception as error:  # noqa: BLE001 - see _guarded
            self._fault(operation, error)
            return 0
        return milliseconds

    def _elapsed_ms(self) -> float:
        return max(0.0, round((self._clock.monotonic() - self._started) * 1000, 3))

    def _call_api(self, path: str, arguments: str) -> tuple[str, bool]:
        """The answer for the guest, and whether the call was recorded as a command."""
        try:
            values = parse(arguments, max_bytes=caps.MAX_API_ARGUMENT_BYTES)
        except JsonRefusedError as error:
            if error.reason == "size":
                cap = caps.MAX_API_ARGUMENT_BYTES
                self._stop_output(f"passed api.{path} more than it takes", "api_argument_bytes", cap)
                return STOPPED, False
            return _type_error(f"The arguments of api.{path} {error.message}"), False
        if not isinstance(values, list):
            return _type_error(f"The arguments of api.{path} are not a list"), False
        reply = self._api.call(path, values)
        if reply.get("forged"):
            return _no_such_member(), False
        if reply.get("recorded") and not self._keep(Command(path, values), utf8_length(arguments)):
            return STOPPED, False
        return _visible(reply), bool(reply.get("recorded"))

    def _keep(self, command: Command, size: int) -> bool:
        """Add a command; False when that would pass a cap, which ends the execution."""
        limits = self._limits
        if len(self._commands) >= limits.commands:
            self._stop_output("recorded too many commands", "commands", limits.commands)
            return False
        if self._command_bytes + size > limits.command_bytes:
            self._stop_output("recorded too much in commands", "command_bytes", limits.command_bytes)
            return False
        self._command_bytes += size
        self._commands.append(command)
        return True

    def _record(self, operation: str, arguments: dict[str, Any], result: dict[str, Any]) -> None:
        if self._fatal is not None:
            return
        self._recorder.add(operation, arguments, result)
        passed = self._recorder.passed
        if passed is not None:
            self._stop_output("moved too much data through the host", *passed)

    def _out_of_time(self) -> None:
        limit = self._limits.wall_ms
        message = f"The Action ran longer than its limit of {limit} ms."
        self._stop(Failure(FailureCode.TIMEOUT, message, detail={"limit": "wall_ms", "value": limit}))

    def _stop_output(self, did: str, limit: str, value: int) -> None:
        message = f"The Action {did}; the limit {limit} is {value}."
        self._stop(Failure(FailureCode.OUTPUT, message, detail={"limit": limit, "value": value}))

    def _fault(self, where: str, error: Exception) -> None:
        self._stop(internal_failure(f"port.{where}", error))

    def _stop(self, failure: Failure) -> None:
        if self._fatal is None:
            self._fatal = failure
            self._recorder.stop(failure)


class NoApi:
    """The api of a top level that runs only to be looked at."""

    def call(self, path: str, arguments: list[JsonValue]) -> ApiReply:  # noqa: ARG002
        """See `ApiHost.call`."""
        return {"forged": True}


def _visible(reply: ApiReply) -> str:
    """The part of a reply that the guest sees; empty for a plain `undefined`."""
    shown: dict[str, JsonValue] = {}
    if "ok" in reply:
        shown["ok"] = reply["ok"]
    if "error" in reply:
        shown["error"] = reply["error"]
    if reply.get("event"):
        shown["event"] = reply["event"]
    return encode(shown) if shown else ""


def _type_error(message: str) -> str:
    return encode({"error": {"name": "TypeError", "message": message}})


def _no_such_member() -> str:
    return _type_error("There is no such api member")
