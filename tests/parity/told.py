"""An outcome without what differs from run to run: ids, times, random values that name a flow."""

from __future__ import annotations

import json
from typing import Any

from runner.model.outcome import FlowOutcome

_OF_A_RUN = ("execution_id", "tenant", "timing")
_OF_AN_ACTION = ("statistics",)
_OF_A_LINE = ("at_ms",)
_OF_A_SUSPENSION = ("handle", "state", "expires_at")


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


def _drop(data: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        del data[name]
