"""The port that answers from a journal: the same program and event run again, bit by bit, touching nothing.

A call that differs from the recorded one ends the run with failure `divergence`. Calls are compared in
order; clock readings are compared by their count only, as the journal holds them (`sandbox.port.journal`).
Recorded waits do not wait. Only the real time limit of the run still holds.
"""

from __future__ import annotations

import base64
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

from sandbox import hostcrypto
from sandbox.core import caps
from sandbox.core.failure import Failure, FailureCode, internal_failure
from sandbox.core.json_text import cut, encode, parse, utf8_length, well_formed
from sandbox.egress.wire import MAX_REQUEST_JSON_BYTES
from sandbox.port.console_log import LEVELS, measured, noted
from sandbox.port.interface import ApiHost, Command, LogLine
from sandbox.port.journal import Entry, Journal
from sandbox.port.live import STOPPED
from sandbox.port.recorder import abridged, fingerprint

_Args = ParamSpec("_Args")
_Answer = TypeVar("_Answer")
_Method: TypeAlias = Callable[Concatenate["ReplayPort", _Args], _Answer]

_CLOCKS: Final = ("wall", "monotonic")
_END: Final = "the end of the execution"
_SHOWN_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Divergence:
    """The point at which a replay left its journal.

    Attributes:
        position: sequence number of the journal's entry that was due; one past the last at its end.
        expected: the recorded call, shortened.
        actual: the call that was made instead, shortened.
    """

    position: int
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"diverged at entry {self.position}: recorded {self.expected}, now {self.actual}"


def _guarded(kind: str, refused: _Answer) -> Callable[[_Method[_Args, _Answer]], _Method[_Args, _Answer]]:
    """A guest-facing method: counted as `kind`; after the end, and when it raises, it answers `refused`."""

    def decorate(method: _Method[_Args, _Answer]) -> _Method[_Args, _Answer]:
        def call(self: ReplayPort, /, *args: _Args.args, **kwargs: _Args.kwargs) -> _Answer:
            if not self.accepting:
                return refused
            self.count(kind)
            try:
                return method(self, *args, **kwargs)
            except _RefusedError:
                return refused
            except Exception as error:  # noqa: BLE001 - nothing may reach the engine (threat-model E4)
                self.stop(internal_failure(f"replay.{kind}", error))
                return refused

        return functools.update_wrapper(call, method)

    return decorate


class ReplayPort:
    """One replay (`sandbox.port.interface.ExecutionPort`). Use it once.

    Args:
        journal: of the recorded execution.
        api: told of every api call that was answered without an error, so that a trigger session builds
            its outcome again; what it answers is not used.
    """

    def __init__(self, journal: Journal, api: ApiHost | None = None) -> None:
        self._journal = journal
        self._api = api
        streamed = (*_CLOCKS, "log_dropped")
        self._due = [entry for entry in journal.entries if entry.operation not in streamed]
        self._position = 0
        self._clocks = {name: _readings(journal, name) for name in _CLOCKS}
        self._last_reading = dict.fromkeys(_CLOCKS, 0)
        self._logs_due = sum(entry.operation == "log" for entry in self._due)
        self._dropped_due = sum(e.repeat for e in journal.entries if e.operation == "log_dropped")
        self._dropped_bytes = 0
        self._lines: list[LogLine] = []
        self._commands: list[Command] = []
        self._calls: Counter[str] = Counter()
        self._fatal: Failure | None = None
        self._divergence: Divergence | None = None
        self._open = False
        self._deadline = 0.0

    # --- engine-facing ---

    def begin(self, deadline: float) -> None:
        """See `HostPort.begin`. The deadline bounds the engine; nothing here waits."""
        self._deadline = deadline
        self._open = True
        self._absorb_stop()

    def end(self) -> None:
        """See `HostPort.end`. Recorded calls that were not made are a divergence, unless the recorded
        execution was cut by its time limit, which no replay meets at the same call."""
        if not self._open:
            return
        self._open = False
        if self._fatal is None and self._journal.outcome != FailureCode.TIMEOUT:
            left = self._next_due()
            if left is not None:
                self._diverge(left.sequence, described(left.operation, left.arguments), _END)

    @property
    def fatal(self) -> Failure | None:
        """See `HostPort.fatal`."""
        return self._fatal

    # --- what the replay did ---

    @property
    def divergence(self) -> Divergence | None:
        """The first call that differed; None when all were as recorded."""
        return self._divergence

    @property
    def logs(self) -> tuple[LogLine, ...]:
        lines = list(self._lines)
        if lines and self._dropped_bytes:
            last = lines[-1]
            cut_bytes = last.cut_bytes + self._dropped_bytes
            lines[-1] = LogLine(last.at_ms, last.level, last.text, cut_bytes)
        return tuple(noted(line) for line in lines)

    @property
    def logs_cut_bytes(self) -> int:
        return sum(line.cut_bytes for line in self._lines) + self._dropped_bytes

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(self._commands)

    @property
    def host_calls(self) -> dict[str, int]:
        return dict(self._calls)

    @property
    def journal(self) -> Journal:
        """The journal that is replayed."""
        return self._journal

    # --- guest-facing ---

    @_guarded("log", None)
    def log(self, level: str, text: str) -> None:
        """See `HostPort.log`."""
        level = level if level in LEVELS else "log"
        head, size = measured(text)
        if self._logs_due == 0 and self._dropped_due > 0:
            self._dropped_due -= 1
            self._dropped_bytes += size
            return
        entry = self._take("log", {"level": level, "text": head, "size": size}, _same_log)
        self._logs_due -= 1
        kept = entry.arguments["text"]
        self._lines.append(LogLine(entry.result["at_ms"], level, kept, entry.result["cut_bytes"]))

    @_guarded("api", STOPPED)
    def api_call(self, path: str, arguments: str) -> str:
        """See `HostPort.api_call`."""
        kept_path = abridged(path, caps.MAX_API_PATH_BYTES)
        kept = {"path": kept_path, "arguments": abridged(arguments, caps.MAX_API_ARGUMENT_BYTES)}
        entry = self._take("api", kept)
        reply: str = entry.result["reply"]
        if entry.result["recorded"]:
            self._commands.append(Command(path, parse(arguments, max_bytes=caps.MAX_API_ARGUMENT_BYTES)))
        if self._api is not None and not reply.startswith('{"error":'):
            self._api.call(path, parse(arguments, max_bytes=caps.MAX_API_ARGUMENT_BYTES))
        return reply

    @_guarded("fetch", 1)
    def start(self, operation: str, arguments: str) -> int:
        """See `HostPort.start`."""
        kept = abridged(arguments, MAX_REQUEST_JSON_BYTES)
        entry = self._take("start", {"operation": abridged(operation, 64), "arguments": kept})
        return int(entry.result["handle"])

    @_guarded("wait", "")
    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        """See `HostPort.wait_any`. Returns at once."""
        wanted = list(handles[: caps.MAX_FETCHES])
        entry = self._take("wait", {"handles": wanted, "timeout_ms": timeout_ms}, _same_wait)
        return str(entry.result["answer"])

    @_guarded("cancel", None)
    def cancel(self, handle: int) -> None:
        """See `HostPort.cancel`."""
        self._take("cancel", {"handle": handle})

    @_guarded("random", b"")
    def random(self, count: int) -> bytes:
        """See `HostPort.random`."""
        return base64.b64decode(self._take("random", {"count": count}).result["base64"])

    @_guarded("compute", STOPPED)
    def compute(self, operation: str, arguments: str) -> str:
        """See `HostPort.compute`. What draws no random numbers is computed again."""
        if operation in hostcrypto.RANDOMISED:
            kept = {"operation": operation, "arguments": fingerprint(arguments)}
            return str(self._take("compute", kept).result["answer"])
        return hostcrypto.compute(operation, arguments, self._deadline)

    def wall_ms(self) -> int:
        """See `HostPort.wall_ms`."""
        return self._read_clock("wall")

    def monotonic_ms(self) -> int:
        """See `HostPort.monotonic_ms`."""
        return self._read_clock("monotonic")

    # --- inside ---

    @property
    def accepting(self) -> bool:
        """The run is on, and nothing has ended it."""
        return self._open and self._fatal is None

    def count(self, kind: str) -> None:
        """Count one call."""
        self._calls[kind] += 1

    def stop(self, failure: Failure) -> None:
        """End the run with `failure`, unless something has ended it before."""
        if self._fatal is None:
            self._fatal = failure

    def _read_clock(self, name: str) -> int:
        if self.accepting:
            reading = next(self._clocks[name], None)
            if reading is None:
                self._leave_journal(name, {})
            else:
                if reading.is_new:
                    self.count("clock")
                self._last_reading[name] = reading.milliseconds
        return self._last_reading[name]

    def _take(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        same: Callable[[Entry, Mapping[str, Any]], bool] | None = None,
    ) -> Entry:
        """The entry that is due, when it is this call. Raises `_RefusedError` otherwise."""
        if self._position >= len(self._due):
            self._leave_journal(operation, arguments)
            raise _RefusedError
        entry = self._due[self._position]
        equal = same or _same_arguments
        if entry.operation != operation or not equal(entry, arguments):
            recorded = described(entry.operation, entry.arguments)
            self._diverge(entry.sequence, recorded, described(operation, arguments))
            raise _RefusedError
        self._position += 1
        self._absorb_stop()
        return entry

    def _absorb_stop(self) -> None:
        """A recorded stop is due: this run ends here too, with the same failure."""
        if self._position < len(self._due) and self._due[self._position].operation == "stop":
            result = self._due[self._position].result
            self._position += 1
            code = FailureCode(result["code"])
            self.stop(Failure(code, result["message"], detail=dict(result["detail"])))

    def _leave_journal(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """A call beyond the last recorded one."""
        if self._journal.outcome == FailureCode.TIMEOUT:
            self.stop(Failure(FailureCode.TIMEOUT, "The recorded execution met its time limit here."))
            return
        self._diverge(len(self._journal.entries) + 1, _END, described(operation, arguments))

    def _diverge(self, position: int, expected: str, actual: str) -> None:
        divergence = Divergence(position, expected, actual)
        self._divergence = self._divergence or divergence
        message = f"The replay {divergence}."
        self.stop(Failure(FailureCode.DIVERGENCE, message, detail={"position": position}))

    def _next_due(self) -> Entry | None:
        """The first recorded call that was not made."""
        if self._position < len(self._due):
            return self._due[self._position]
        for name in _CLOCKS:
            if next(self._clocks[name], None) is not None:
                return next(e for e in reversed(self._journal.entries) if e.operation == name)
        if self._dropped_due:
            return next(e for e in self._journal.entries if e.operation == "log_dropped")
        return None


class _RefusedError(Exception):
    """The call is not answered; the reason stands in `fatal`."""


@dataclass(frozen=True, slots=True)
class _Reading:
    milliseconds: int
    is_new: bool


def _readings(journal: Journal, name: str) -> Iterator[_Reading]:
    for entry in journal.entries:
        if entry.operation == name:
            for number in range(entry.repeat):
                yield _Reading(entry.result["ms"], is_new=number == 0)


def _same_arguments(recorded: Entry, given: Mapping[str, Any]) -> bool:
    return recorded.arguments == given


def _same_log(recorded: Entry, given: Mapping[str, Any]) -> bool:
    """A recorded line may have been cut, so its text is the beginning of the one given."""
    kept, text = recorded.arguments["text"], given["text"]
    longer_by = given["size"] - utf8_length(kept)
    is_same_text = text.startswith(kept) and longer_by == recorded.result["cut_bytes"]
    return bool(recorded.arguments["level"] == given["level"] and is_same_text)


def _same_wait(recorded: Entry, given: Mapping[str, Any]) -> bool:
    """Timeouts may come from the engine's own clock; what is waited for may not."""
    return bool(recorded.arguments["handles"] == given["handles"])


def described(operation: str, arguments: Mapping[str, Any]) -> str:
    """A host call in one line, shortened."""
    if operation == "api":
        text = f"api.{arguments['path']} {arguments['arguments']}"
    elif operation == "log":
        text = f"console.{arguments['level']} {encode(arguments['text'])}"
    elif operation == "start":
        text = f"{arguments['operation']} {arguments['arguments']}"
    else:
        text = f"{operation} {encode(dict(arguments))}" if arguments else operation
    shown, left_out = cut(well_formed(text), _SHOWN_BYTES)
    return shown + "…" if left_out else shown
