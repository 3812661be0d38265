"""Unified diffs in bounded time."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

_MAX_LINES: Final = 2_000
"""Lines that differ at both ends; above, all between them counts as changed. difflib is quadratic."""
_NO_NEWLINE: Final = "\\ No newline at end of file\n"


def unified_diff(old: str, new: str, old_name: str, new_name: str) -> str:
    """The unified diff of two texts, "" when they are equal. Lines end at a line feed only."""
    before, after = _lines(old), _lines(new)
    if before == after:
        return ""
    start, end = _common(before, after)
    if max(len(before), len(after)) - start - end > _MAX_LINES:
        lines = [f"--- {old_name}\n", f"+++ {new_name}\n", *_whole(before, after, start, end)]
    else:
        lines = list(difflib.unified_diff(before, after, old_name, new_name))
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _common(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """The number of lines that are equal at the start and, of the rest, at the end."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, end


def _whole(before: Sequence[str], after: Sequence[str], start: int, end: int) -> list[str]:
    """One hunk that replaces everything between the equal lines."""
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    first_old = start + 1 if gone else start
    first_new = start + 1 if come else start
    head = f"@@ -{first_old},{len(gone)} +{first_new},{len(come)} @@\n"
    return [head, *(f"-{line}" for line in gone), *(f"+{line}" for line in come)]
