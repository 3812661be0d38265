"""What a test case expects: what came of the recorded execution, without what differs from run to run."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, Final

from triggers import Effects

_LOG_CHARACTERS: Final = 300
_STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\]")
_ANY: Final = {"$any": True}


def expectation(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What to expect of a leg whose outcome was `outcome`, as `runner.replay.record.comparable` makes it."""
    expect: dict[str, Any] = {"decision": outcome["decision"]}
    nothing = Effects().model_dump(mode="json")
    effects = {
        name: _literal(value)
        for name, value in outcome["effects"].items()
        if value != nothing.get(name) and name not in ("decision", "warnings")
    }
    if effects:
        expect["effects"] = effects
    if outcome["failure"] is not None:
        expect["failure"] = {"code": outcome["failure"]["code"], "message": outcome["failure"]["message"]}
        expect["failed_action"] = outcome["failed_action"]
    if outcome["suspension"] is not None:
        expect["suspension"] = {"kind": outcome["suspension"]["kind"]}
    lines = [line["text"][:_LOG_CHARACTERS] for action in outcome["actions"] for line in action["logs"]]
    if lines:
        expect["logs"] = lines
    return expect


def _literal(value: Any) -> Any:
    """A value that no matcher is read into."""
    if isinstance(value, dict):
        if any(name.startswith("$") for name in value):
            return {"$exactly": value}
        return {name: _literal(item) for name, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list) else value


def weakened(expect: dict[str, Any], paths: list[str]) -> bool:
    """Change `expect` so that it takes anything at these paths of differences. False when it cannot: what
    decides differs."""
    logs = sorted((_steps(path)[1] for path in paths if path.startswith("$.logs[")), reverse=True)
    for index in logs:
        if not isinstance(index, int) or index >= len(expect.get("logs", ())):
            return False
        del expect["logs"][index]
    if logs and not expect["logs"]:
        del expect["logs"]
    return all(_weaken(expect, _steps(path)) for path in paths if not path.startswith("$.logs["))


def _steps(path: str) -> list[str | int]:
    return [
        name or (int(index) if index else ast.literal_eval(quoted))
        for name, index, quoted in _STEP.findall(path.removeprefix("$"))
    ]


def _weaken(expect: dict[str, Any], steps: list[str | int]) -> bool:
    if not steps or steps[0] not in ("effects", "failure"):
        return False
    inner: Any = expect
    for step in steps[:-1]:
        try:
            following = inner[step]
        except (KeyError, IndexError, TypeError):
            return False
        if not isinstance(following, (dict, list)):
            break
        inner = following
    last = steps[-1]
    try:
        inner[last] = dict(_ANY)
    except (IndexError, TypeError):
        return False
    return steps != ["failure", "code"]
