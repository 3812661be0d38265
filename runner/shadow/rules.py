"""Ignore rules: differences that somebody expects, until a day that somebody named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from runner.shadow.differences import Cause, Difference

MAX_RULES: Final = 50


class IgnoreRule(BaseModel):
    """One expectation.

    Attributes:
        cause: None for all of them.
        path: of the difference, see `Difference.path`; `*` stands for any text.
        owner: who answers for it.
        until: the last day on which it holds, in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: Cause | None = None
    path: str = Field(default="*", min_length=1, max_length=200)
    owner: str = Field(min_length=1, max_length=200)
    until: date
    reason: str = Field(default="", max_length=500)

    def holds(self, today: date) -> bool:
        """Whether it has not ended."""
        return today <= self.until

    def covers(self, difference: Difference) -> bool:
        """Whether it expects this difference."""
        return self.cause in (None, difference.cause) and _fits(self.path, difference.path)


def left(
    found: Sequence[Difference], rules: Sequence[IgnoreRule]
) -> tuple[tuple[Difference, ...], tuple[IgnoreRule, ...]]:
    """The differences that no rule expects, and the rules that expected another. `rules`: that hold today."""
    kept, used = [], []
    for item in found:
        rule = next((rule for rule in rules if rule.covers(item)), None)
        if rule is None:
            kept.append(item)
        elif rule not in used:
            used.append(rule)
    return tuple(kept), tuple(used)


def _fits(pattern: str, text: str) -> bool:
    """`*` stands for any text. Each part is looked for once, from left to right."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
