"""Positions in compiled text, taken back to the text that a tenant wrote (source maps, ECMA-426).

Only the `mappings` of a map are kept, and they are decoded when an error needs them.
"""

from __future__ import annotations

import bisect
import functools
from typing import Final, NamedTuple

_DIGITS: Final = {
    digit: value
    for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_CONTINUES: Final = 0b10_0000


class _Point(NamedTuple):
    """The origin of a column of one compiled line; all from 0. -1 for text that nobody wrote."""

    column: int
    line: int
    source_column: int


def original(mappings: str, line: int, column: int | None) -> tuple[int, int | None] | None:
    """The line and column that `line` and `column` of the compiled text came from; all from 1.

    None when the compiler made that text up. Without mappings, or without a line of their own, positions
    stay as they are.
    """
    if not mappings:
        return line, column
    lines = _decoded(mappings)
    if not 1 <= line <= len(lines):
        return None
    points = lines[line - 1]
    at = bisect.bisect_right(points, (column or 1) - 1, key=lambda point: point.column) - 1
    point = points[max(at, 0)] if points else None
    if point is None or point.line < 0:
        return None
    return point.line + 1, None if column is None else point.source_column + 1


@functools.lru_cache(maxsize=64)
def _decoded(mappings: str) -> tuple[tuple[_Point, ...], ...]:
    """The points of every compiled line, by column."""
    lines: list[tuple[_Point, ...]] = []
    source_line = source_column = 0
    for group in mappings.split(";"):
        column, points = 0, []
        for segment in filter(None, group.split(",")):
            fields = _numbers(segment)
            column += fields[0]
            if len(fields) < 4:
                points.append(_Point(column, -1, 0))
                continue
            source_line += fields[2]
            source_column += fields[3]
            points.append(_Point(column, source_line, source_column))
        lines.append(tuple(points))
    return tuple(lines)


def _numbers(segment: str) -> list[int]:
    """The base64 VLQ numbers of one segment."""
    numbers, value, shift = [], 0, 0
    for character in segment:
        digit = _DIGITS[character]
        value |= (digit & ~_CONTINUES) << shift
        shift += 5
        if not digit & _CONTINUES:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return numbers
