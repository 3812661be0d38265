"""Calls in front of statements of a JavaScript source, none of which moves: for whoever watches a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sandbox.core.caps import MIB
from sandbox.javascript import toolchain
from sandbox.javascript.building.confined import Bounds, ToolTimeoutError, run_confined

_PARSING: Final = Bounds(seconds=10.0, memory_bytes=2048 * MIB, output_bytes=64 * MIB)
"""For one source; Node sets aside a lot of memory that it does not use."""
_SCRIPT: Final = Path(__file__).with_name("statements.cjs")


class Point(NamedTuple):
    """A call to put before the statement that begins on `line`. `code`: the call with its expression."""

    line: int
    expression: str
    code: str


class Placed(NamedTuple):
    """The source with its calls, and the lines on which statements begin."""

    text: str
    lines: tuple[int, ...]


class UnplacedError(Exception):
    """A source or an expression does not parse. `expression`: the one that does not; None for the source."""

    def __init__(self, message: str, expression: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression


def place_calls(text: str, points: Sequence[Point], tail: str, watched: str = "") -> Placed:
    """Put calls into `text`; those for lines on which no statement begins are left out.

    Args:
        tail: goes to the end, on lines of its own: the functions that are called.
        watched: a call to put before every statement, with LINE where its line goes; "" for none.

    Raises:
        UnplacedError: see there.
    """
    command = [str(toolchain.node()), "--expose-internals", "--no-warnings", str(_SCRIPT)]
    asked = {"text": text, "points": [point._asdict() for point in points], "tail": tail, "watched": watched}
    try:
        done = run_confined(command, json.dumps(asked).encode(), _PARSING)
        found: dict[str, Any] = json.loads(done.stdout) if done.ok else {}
    except (ToolTimeoutError, OSError, toolchain.ToolchainError, ValueError) as error:
        raise UnplacedError(f"the parser cannot be asked: {error}", None) from None
    if "error" in found:
        raise UnplacedError(str(found["error"]), found.get("expression"))
    if "text" not in found:
        raise UnplacedError(f"the parser broke off: {done.stderr[-200:].decode(errors='replace')}", None)
    return Placed(found["text"], tuple(found["lines"]))
