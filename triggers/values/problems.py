"""Problems of an event, in words for the person who wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_PROBLEMS: Final = 20
"""Problems reported at once; more of them help nobody."""
_SHOWN: Final = 40
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: JSON path such as `$.user.identities[0].isSocial`.
        expected: what belongs there, such as `a boolean`.
        found: what stands there instead, such as `a string ("yes")`.
        hint: a likely cause, or None.
    """

    path: str
    expected: str
    found: str
    hint: str | None = None

    def __str__(self) -> str:
        sentence = f"{self.path}: expected {self.expected}, found {self.found}"
        return f"{sentence}; {self.hint}" if self.hint else sentence


class EventError(ValueError):
    """An event does not have the shape its trigger promises to Actions.

    Attributes:
        problems: what is wrong, sorted by place, at most `MAX_PROBLEMS`, never empty.
        total: how many problems there are in all.
    """

    def __init__(self, problems: Iterable[Problem], total: int | None = None) -> None:
        found = sorted(problems, key=lambda problem: problem.path)
        self.problems: tuple[Problem, ...] = tuple(found[:MAX_PROBLEMS])
        self.total = max(total or 0, len(found))
        super().__init__(self._message())

    def _message(self) -> str:
        lines = [str(problem) for problem in self.problems]
        if self.total > len(lines):
            lines.append(f"and {self.total - len(lines)} more")
        return "\n".join(lines)


def json_path(steps: Sequence[str | int]) -> str:
    """Write steps into a document as a JSON path (RFC 9535 normal names stay bare)."""
    return "$" + "".join(_step(step) for step in steps)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN_KEY.fullmatch(step) and len(step) <= _SHOWN:
        return f".{step}"
    return f"[{_quoted(step)}]"


def describe(value: Any) -> str:
    """Name a value in a few words; long ones are cut."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"a boolean ({str(value).lower()})"
    if isinstance(value, str):
        return f"a string ({_quoted(value)})"
    if isinstance(value, int | float):
        return f"a number ({_digits(value)})"
    return _container(value)


def _container(value: Any) -> str:
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"a Python {type(value).__name__[:_SHOWN]}, which is not JSON"


def _quoted(text: str) -> str:
    # ASCII escapes keep control characters and lone surrogates out of terminals.
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return json.dumps(cut)


def _digits(value: float) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    return repr(value)
