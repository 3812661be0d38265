"""The journal of an execution: every host call in order, enough to run it again bit by bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One host call. `repeat` counts identical calls in a row (clock readings)."""

    sequence: int
    operation: str
    arguments: Any
    result: Any
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """All host calls of one execution, in order."""

    entries: tuple[Entry, ...] = ()
