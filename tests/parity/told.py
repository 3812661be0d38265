"""An outcome without what differs from run to run: ids, times, random values that name a flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from typing import Any

from runner.model.outcome import FlowOutcome

_OF_A_RUN = ("execution_id", "tenant", "timing")
_OF_AN_ACTION = ("statistics", "version")
_OF_A_LINE = ("at_ms",)
_OF_A_SUSPENSION = ("handle", "state", "expires_at")
_MISSING = object()


class Teller:
    """Tells the outcomes of one flow. What one leg named at random is known in the legs that follow."""

    def __init__(self) -> None:
        self._random: dict[str, str] = {}

    def told(self, outcome: FlowOutcome) -> dict[str, Any]:
        suspension = outcome.suspension
        if suspension is not None:
            self._random[suspension.handle] = f"handle {len(self._random)}"
            if suspension.state:
                self._random[suspension.state] = f"state {len(self._random)}"
        text = outcome.to_json()
        for value, name in self._random.items():
            text = text.replace(value, name)
        data: dict[str, Any] = json.loads(text)
        _drop(data, _OF_A_RUN)
        for action in data["actions"]:
            _drop(action, _OF_AN_ACTION)
            for line in action["logs"]:
                _drop(line, _OF_A_LINE)
        if data["suspension"] is not None:
            _drop(data["suspension"], _OF_A_SUSPENSION)
        return data


def failures(told: dict[str, Any]) -> list[str]:
    """Codes of all failures in it."""
    found = [told["failure"], *(action["failure"] for action in told["actions"])]
    return [failure["code"] for failure in found if failure is not None]


def differences(here: Any, there: Any, path: str = "$") -> Iterator[str]:
    """Where two JSON values differ, a line each: the path, and both values from where they part."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in sorted({*here, *there}):
            yield from differences(here.get(key, _MISSING), there.get(key, _MISSING), f"{path}.{key}")
    elif isinstance(here, list) and isinstance(there, list):
        for index, pair in enumerate(zip_longest(here, there, fillvalue=_MISSING)):
            yield from differences(*pair, f"{path}[{index}]")
    elif here != there or type(here) is not type(there):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(repr(here), repr(there), strict=False))
        same = sum(1 for _ in alike)
        yield f"{path}: from character {same}: {repr(here)[same:]:.300} != {repr(there)[same:]:.300}"


def _drop(data: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        del data[name]
