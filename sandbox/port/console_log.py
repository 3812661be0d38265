"""The console of an execution: its lines in order, within the caps of a line and of all lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from sandbox.core.caps import MAX_LOG_LINE_BYTES, MAX_LOG_LINES
from sandbox.core.json_text import cut, utf8_length, well_formed
from sandbox.port.interface import LogLevel, LogLine

LEVELS: Final = frozenset(get_args(LogLevel))


@dataclass(frozen=True, slots=True)
class Kept:
    """One console call as it was kept: its level, its text and the number of bytes left out."""

    level: str
    text: str
    cut_bytes: int


class LogBook:
    """Collects console calls. Control characters stay data; whoever shows a line escapes them."""

    def __init__(self, max_bytes: int) -> None:
        self._room = max_bytes
        self._lines: list[LogLine] = []
        self._cut_bytes = 0
        self._tail: LogLine | None = None

    @property
    def full(self) -> bool:
        """No further call is kept; they are only counted."""
        return self._tail is not None

    @property
    def cut_bytes(self) -> int:
        """Bytes left out over all calls."""
        return self._cut_bytes

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The lines, oldest first. A line that was cut ends with its note; the last line's note counts
        the calls after it as well."""
        shown = self._lines if self._tail is None else [*self._lines, self._tail]
        return tuple(noted(line) for line in shown)

    def add(self, at_ms: float, level: str, text: str) -> Kept | None:
        """Keep one call; None when the book was full before and the call only counts."""
        if self._tail is not None:
            self._drop(measured(text)[1])
            return None
        level = level if level in LEVELS else "log"
        head, size = measured(text)
        kept, _ = cut(head, min(MAX_LOG_LINE_BYTES, self._room))
        used = utf8_length(kept)
        left_out = size - used
        line = LogLine(at_ms, level, kept, left_out)
        out_of_room = left_out > 0 and self._room <= MAX_LOG_LINE_BYTES
        if out_of_room or len(self._lines) + 1 >= MAX_LOG_LINES:
            self._tail = line
        else:
            self._lines.append(line)
        self._room -= used
        self._cut_bytes += left_out
        return Kept(level, kept, left_out)

    def _drop(self, size: int) -> None:
        assert self._tail is not None
        tail = self._tail
        self._tail = LogLine(tail.at_ms, tail.level, tail.text, tail.cut_bytes + size)
        self._cut_bytes += size


def measured(text: str) -> tuple[str, int]:
    """The beginning of `text` that a line may keep, well formed, and the UTF-8 bytes of the whole."""
    return well_formed(text[:MAX_LOG_LINE_BYTES]), utf8_length(text)


def noted(line: LogLine) -> LogLine:
    """`line` with the note of what was left out of it, if anything was."""
    if not line.cut_bytes:
        return line
    return LogLine(line.at_ms, line.level, f"{line.text}… {line.cut_bytes} bytes more", line.cut_bytes)
