"""The clocks of a recorded execution: as they were read, and what they say of the time between its calls."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from sandbox.port.journal import Journal

_NAMES: Final = ("wall", "monotonic")


class RecordedClock:
    """Readings in order, bound to the calls between which they were made.

    A program that reads a clock more often than the recorded one gets the last reading again until it has
    made the next call, and one that reads it less often goes on with the readings after the call: what it
    does with time does not depend on how often it looks.

    Args:
        calls: sequence numbers, in order, of the entries that take time (requests and waits).
        wall_ms: milliseconds since 1970 at the start, for a journal without a reading.
    """

    def __init__(self, journal: Journal, calls: Sequence[int], wall_ms: int) -> None:
        self._journal = journal
        self._calls = calls
        self._passed = 0
        self._readings = {name: _Readings(journal, name) for name in _NAMES}
        self._first_wall = wall_ms
        self._times: list[float] | None = None
        self._wall_at_start: float | None = None

    def passed(self, sequence: int) -> None:
        """The program made the recorded call `sequence`."""
        self._passed += 1
        for readings in self._readings.values():
            readings.skip_to(sequence)

    def read(self, name: str) -> int:
        """The reading that is due on clock `name`."""
        end = self._calls[self._passed] if self._passed < len(self._calls) else None
        reading = self._readings[name].take(end)
        if reading is not None:
            return reading
        return self.at(name, self.times()[self._passed - 1] if self._passed else 0.0)

    def at(self, name: str, time: float) -> int:
        """Clock `name` at `time`, in ms since the start."""
        if name == "monotonic":
            return math.floor(time + _ROUNDING)
        self.times()
        assert self._wall_at_start is not None
        return math.floor(self._wall_at_start + time + _ROUNDING)

    def shown(self) -> float:
        """The latest time that was read, in ms since the start."""
        wall, monotonic = (self._readings[name].last for name in _NAMES)
        self.times()
        assert self._wall_at_start is not None
        return max(0.0, monotonic or 0.0, 0.0 if wall is None else wall - self._wall_at_start)

    def times(self) -> list[float]:
        """The time of each call in ms since the start, as far as readings, logs and sleeps tell: the first
        that was seen after it, because what passed before that passed mostly in the call."""
        if self._times is None:
            self._times = self._estimate()
        return self._times

    def _estimate(self) -> list[float]:
        known: list[float | None] = []
        now, base = 0.0, None
        calls = frozenset(self._calls)
        slept: list[float] = []
        for entry in self._journal.entries:
            seen: float | None = None
            if entry.sequence in calls:
                known.append(None)
                timeout = entry.arguments.get("timeout_ms") if entry.operation == "wait" else None
                slept.append(now + (timeout or 0.0) if not entry.result.get("answer", "-") else now)
                now = max(now, slept[-1])
            elif entry.operation == "monotonic":
                seen = float(entry.result["ms"])
            elif entry.operation == "log":
                seen = float(entry.result["at_ms"])
            elif entry.operation == "wall":
                base = entry.result["ms"] - now if base is None else base
                seen = entry.result["ms"] - base
            if seen is not None:
                now = max(now, seen)
                if known and known[-1] is None:
                    known[-1] = now
        self._wall_at_start = float(self._first_wall) if base is None else float(base)
        both = zip(known, slept, strict=True)
        return list(accumulate((max(item or 0.0, least) for item, least in both), max))


_ROUNDING: Final = 1e-3
"""Sums of milliseconds and their fractions may come out a little below the whole number that they are."""


class _Readings:
    """One clock's readings, run-length coded as the journal has them."""

    def __init__(self, journal: Journal, name: str) -> None:
        entries = [entry for entry in journal.entries if entry.operation == name]
        self._places = [entry.sequence for entry in entries]
        self._values = [int(entry.result["ms"]) for entry in entries]
        self._repeats = [entry.repeat for entry in entries]
        self._at = -1
        self._left = 0

    @property
    def last(self) -> int | None:
        """The reading that was taken last, or left out last."""
        return self._values[self._at] if self._at >= 0 else None

    def take(self, end: int | None) -> int | None:
        """The next reading; the last one again when the next was made after entry `end`; None when there
        is none before it."""
        if self._left == 0:
            following = self._at + 1
            if following < len(self._places) and (end is None or self._places[following] < end):
                self._at, self._left = following, self._repeats[following]
        if self._at < 0:
            return None
        self._left = max(0, self._left - 1)
        return self._values[self._at]

    def skip_to(self, sequence: int) -> None:
        """Leave out what was read before entry `sequence`, but for the last value."""
        last = bisect_left(self._places, sequence) - 1
        if last > self._at:
            self._at, self._left = last, self._repeats[last]
