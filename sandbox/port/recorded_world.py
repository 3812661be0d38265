"""The world of one recorded execution, as another program may ask it: time, chance, and answers to requests.

As long as a program starts, waits and cancels as the recorded one did, it gets what that got, in the same
order. From the first call that differs on, the rest is simulated in the record's own time: each request is
answered as the same one was (method, URL and body; repetitions in order) after as long as it took then, and a
sleep moves the clock. Nothing waits and nothing is sent.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sandbox.core import caps
from sandbox.egress.model import EgressError, FetchRequest
from sandbox.egress.wire import MAX_REQUEST_JSON_BYTES, NO_MORE, error_answer, read_request
from sandbox.port.journal import Entry, Journal, JournalError
from sandbox.port.recorded_clock import RecordedClock
from sandbox.port.recorder import abridged

_WORLD: Final = frozenset({"start", "wait", "cancel"})
_ANSWER: Final = re.compile(r'\{"id":(\d+),')
_REPEATABLE: Final = frozenset({"GET", "HEAD"})
_Key = tuple[str, str, bytes | None]
"""Method, URL and body of a request."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that the record has no answer to. `commands`: that the program had recorded by then."""

    method: str
    url: str
    commands: int

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(slots=True)
class _Recorded:
    """A recorded request. `started`, `settled`: ms since the start of the execution; `answer`: its text
    without the handle, None when the record ends before it came."""

    key: _Key
    started: float
    settled: float
    answer: str | None
    used: bool = False


@dataclass(frozen=True, slots=True)
class _Pending:
    """A request of the program: when it settles, and with what; `unanswered` is told when that is taken."""

    settles: float
    answer: str
    unanswered: Unanswered | None = None


@dataclass(slots=True)
class RecordedWorld:
    """One run's world (`sandbox.port.pending_fetches.Operations`). Use it once.

    Args:
        journal: of the recorded execution.
        wall_ms: milliseconds since 1970 at its start, for a record that read no clock.
        limit_ms: time that the run has.
        out_of_time: called when that is over.
        commands: the number of commands that the program has recorded.

    Raises:
        JournalError: an answer is damaged.
    """

    journal: Journal
    wall_ms: int
    limit_ms: int
    out_of_time: Callable[[], None]
    commands: Callable[[], int]
    unanswered: list[Unanswered] = field(default_factory=list)
    _calls: list[Entry] = field(init=False)
    _clock: RecordedClock = field(init=False)
    _next: int = 0
    _follows: bool = True
    _started: int = 0
    _now: float = 0.0
    _pending: dict[int, _Pending] = field(default_factory=dict)
    _requests: list[_Recorded] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._calls = [entry for entry in self.journal.entries if entry.operation in _WORLD]
        for entry in self._calls:
            answer = entry.result.get("answer")
            if answer and _ANSWER.match(answer) is None:
                raise JournalError(f"$.entries[{entry.sequence - 1}].result.answer", "is not an answer")
        self._clock = RecordedClock(self.journal, [entry.sequence for entry in self._calls], self.wall_ms)

    # --- requests ---

    def start(self, operation: str, arguments: str) -> int:
        """See `HostPort.start`."""
        handle = NO_MORE if self._started >= caps.MAX_FETCHES else self._started + 1
        if self._follows:
            due = self._due()
            if due is not None and _same_start(due, handle, operation, arguments):
                self._passed(due)
                self._started = max(self._started, handle)
                return handle
            self._leave()
        if handle == NO_MORE:
            return NO_MORE
        self._started = handle
        self._pending[handle] = self._found(handle, operation, arguments)
        return handle

    def wait_any(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        """See `HostPort.wait_any`. Returns at once."""
        if self._follows:
            due = self._due()
            if due is not None and due.operation == "wait" and due.arguments["handles"] == list(handles):
                return self._followed_wait(due)
            if due is None and self._timed_out:
                self.out_of_time()
                return ""
            self._leave()
        return self._simulated_wait(handles, timeout_ms)

    def cancel(self, handle: int) -> None:
        """See `HostPort.cancel`."""
        if self._follows:
            due = self._due()
            if due is not None and due.operation == "cancel" and due.arguments["handle"] == handle:
                self._passed(due)
                return
            self._leave()
        self._pending.pop(handle, None)

    def close(self) -> None:
        """Nothing is in flight."""

    # --- time ---

    def milliseconds(self, clock: str) -> int:
        """What `clock` (`wall` or `monotonic`) shows now."""
        return self._clock.read(clock) if self._follows else self._clock.at(clock, self._now)

    # --- following the record ---

    @property
    def _timed_out(self) -> bool:
        return self.journal.outcome == "timeout"

    def _due(self) -> Entry | None:
        return self._calls[self._next] if self._next < len(self._calls) else None

    def _passed(self, entry: Entry) -> None:
        self._next += 1
        self._clock.passed(entry.sequence)

    def _followed_wait(self, due: Entry) -> str:
        self._passed(due)
        answer = str(due.result["answer"])
        if not answer and self._timed_out and self._due() is None:
            self.out_of_time()
        return answer

    # --- leaving it ---

    def _leave(self) -> None:
        """The program goes its own way from here: place what is under way in the record's time."""
        self._follows = False
        times = self._clock.times()
        self._now = max(times[self._next - 1] if self._next else 0.0, self._clock.shown())
        recorded = _requests(self._calls, times)
        for number, handle in enumerate(recorded):
            item = recorded[handle]
            item.used = number < self._begun_before_leaving
            self._requests.append(item)
        gone = _gone(self._calls[: self._next])
        for handle in list(recorded)[: self._begun_before_leaving]:
            if handle not in gone:
                self._pending[handle] = self._as_recorded(handle, recorded[handle], recorded[handle].started)

    @property
    def _begun_before_leaving(self) -> int:
        return sum(entry.operation == "start" for entry in self._calls[: self._next])

    def _found(self, handle: int, operation: str, arguments: str) -> _Pending:
        try:
            if operation != "fetch":
                raise EgressError("method", "the host has no such operation")
            key = _key(read_request(arguments))
        except EgressError as error:
            return _Pending(self._now, error_answer(handle, error))
        same = [item for item in self._requests if item.key == key]
        item = next((item for item in same if not item.used), None)
        if item is None and same and key[0] in _REPEATABLE:
            item = same[-1]
        if item is None:
            unknown = _unknown(handle, key, self._now, self.commands())
            self._note(unknown)
            return unknown
        item.used = True
        return self._as_recorded(handle, item, self._now)

    def _as_recorded(self, handle: int, item: _Recorded, started: float) -> _Pending:
        settles = started + item.settled - item.started
        if item.answer is None:
            return _unknown(handle, item.key, settles, self.commands())
        return _Pending(settles, f'{{"id":{handle},{item.answer}')

    def _simulated_wait(self, handles: Sequence[int], timeout_ms: float | None) -> str:
        for handle in handles:
            if not 0 < handle <= self._started:
                return error_answer(handle, EgressError("limit", "there is no such operation"))
        wanted = [(self._pending[handle].settles, handle) for handle in handles if handle in self._pending]
        first = min(wanted, default=None)
        until = math.inf if timeout_ms is None else self._now + timeout_ms
        if first is None and timeout_ms is None:
            return ""
        if first is None or max(first[0], self._now) > until:
            self._sleep(until)
            return ""
        self._sleep(max(first[0], self._now))
        return self._taken(first[1])

    def _taken(self, handle: int) -> str:
        settled = self._pending.pop(handle)
        self._note(settled)
        return settled.answer

    def _note(self, request: _Pending) -> None:
        if request.unanswered is not None and request.unanswered not in self.unanswered:
            self.unanswered.append(request.unanswered)

    def _sleep(self, until: float) -> None:
        self._now = min(until, float(self.limit_ms))
        if until >= self.limit_ms:
            self.out_of_time()


class RecordedChance:
    """The recorded draws of a size in order, and what was computed with chance; after the last one, numbers
    that are as random, and the same in every run on the record."""

    def __init__(self, journal: Journal) -> None:
        self._draws: dict[int, deque[str]] = {}
        self._answers: dict[tuple[str, str], deque[str]] = {}
        self._seed = b""
        self._drawn: Counter[int] = Counter()
        for entry in journal.entries:
            if entry.operation == "random":
                self._draws.setdefault(entry.arguments["count"], deque()).append(entry.result["base64"])
            elif entry.operation == "compute":
                key = entry.arguments["operation"], entry.arguments["arguments"]
                self._answers.setdefault(key, deque()).append(entry.result["answer"])
        first = next((item for item in journal.entries if item.operation == "random"), None)
        self._seed = first.result["base64"].encode() if first is not None else b""

    def draw(self, count: int) -> bytes:
        """`count` random bytes."""
        recorded = self._draws.get(count)
        if recorded:
            return _octets(recorded.popleft(), count)
        self._drawn[count] += 1
        text = f"{count}:{self._drawn[count]}:".encode() + self._seed
        return hashlib.shake_256(text).digest(count)

    def computed(self, operation: str, fingerprint: str) -> str | None:
        """The recorded answer to this computation; None when there is none left."""
        recorded = self._answers.get((operation, fingerprint))
        return recorded.popleft() if recorded else None


def _octets(text: str, count: int) -> bytes:
    """Checked: a record may have been altered, and the guest relies on the number."""
    drawn = base64.b64decode(text)
    return drawn[:count].ljust(count, b"\0")


def _unknown(handle: int, key: _Key, settles: float, commands: int) -> _Pending:
    method, url, _ = key
    error = EgressError("no-record", f"The recorded execution has no answer to {method} {url}.")
    return _Pending(settles, error_answer(handle, error), Unanswered(method, url, commands))


def _same_start(due: Entry, handle: int, operation: str, arguments: str) -> bool:
    if due.operation != "start" or due.result["handle"] != handle:
        return False
    if due.arguments["operation"] != abridged(operation, 64):
        return False
    if due.arguments["arguments"] == abridged(arguments, MAX_REQUEST_JSON_BYTES):
        return True
    try:
        return _key(read_request(due.arguments["arguments"])) == _key(read_request(arguments))
    except EgressError:
        return False


def _key(request: FetchRequest) -> _Key:
    return request.method.upper(), request.url, request.body or None


def _requests(calls: Sequence[Entry], times: Sequence[float]) -> dict[int, _Recorded]:
    """The recorded requests by handle, in order. One that was refused as such has a key of its own: it is
    refused again by the same check."""
    found: dict[int, _Recorded] = {}
    end = times[-1] if times else 0.0
    for entry, time in zip(calls, times, strict=True):
        if entry.operation == "start" and entry.result["handle"]:
            found[entry.result["handle"]] = _Recorded(_recorded_key(entry), time, end, None)
        elif entry.operation == "cancel":
            _settle(found.get(entry.arguments["handle"]), time, None)
        elif entry.operation == "wait" and entry.result["answer"]:
            match = _ANSWER.match(entry.result["answer"])
            assert match is not None, "checked when the world was made"
            _settle(found.get(int(match[1])), time, entry.result["answer"][match.end() :])
    return found


def _recorded_key(entry: Entry) -> _Key:
    try:
        return _key(read_request(entry.arguments["arguments"]))
    except EgressError:
        return "", f"{entry.sequence}", None


def _settle(request: _Recorded | None, time: float, answer: str | None) -> None:
    if request is not None and request.answer is None:
        request.settled, request.answer = time, answer


def _gone(calls: Sequence[Entry]) -> set[int]:
    """Handles that were answered or given up in `calls`."""
    gone: set[int] = set()
    for entry in calls:
        if entry.operation == "cancel":
            gone.add(entry.arguments["handle"])
        elif entry.operation == "wait" and (match := _ANSWER.match(entry.result["answer"])):
            gone.add(int(match[1]))
    return gone
