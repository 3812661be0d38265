"""Does an event have the shape that its trigger promises to Actions?"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from triggers.events.model.base import Part
from triggers.events.model.introspection import Shape, properties
from triggers.events.model.json_check import parse_plain, require_plain
from triggers.values.problems import EventError, Problem, describe, json_path

_MANY_ERRORS: Final = 1_000
_KEPT_ITEMS: Final = 50
_SIMILAR: Final = 0.75
_EXPECTED: Final = {
    "string_type": "a string",
    "bool_type": "a boolean",
    "number_type": "a number",
    "dict_type": "an object",
    "model_type": "an object",
    "list_type": "a list",
}

_Steps = tuple[str | int, ...]


def check(model: type[Part], event: Any) -> None:
    """Raise EventError unless `event` is JSON of the model's shape. The event itself is not changed."""
    require_plain(event)
    _check_shape(model, event)


def parse(model: type[Part], text: bytes) -> dict[str, Any]:
    """The event that `text` is, with the checks of `check`."""
    event = parse_plain(text)
    _check_shape(model, event)
    parsed: dict[str, Any] = event
    return parsed


def _check_shape(model: type[Part], event: Any) -> None:
    try:
        model.model_validate(event)
    except ValidationError as error:
        raise EventError(*_problems(model, event, error)) from None


def _problems(model: type[Part], event: Any, error: ValidationError) -> tuple[list[Problem], int]:
    total = error.error_count()
    if total > _MANY_ERRORS:
        # A list of half a million wrong items would cost seconds and gigabytes to report in full.
        error = _error_of_shortened(model, event) or error
    details = error.errors(include_url=False, include_context=False)
    return [_problem(model, event, detail) for detail in details], total


def _error_of_shortened(model: type[Part], event: Any) -> ValidationError | None:
    try:
        model.model_validate(_shortened(event))
    except ValidationError as error:
        return error
    return None


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(item) for item in value[:_KEPT_ITEMS]]
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    return value


def _problem(model: type[Part], event: Any, detail: ErrorDetails) -> Problem:
    steps = detail["loc"]
    path = json_path(steps)
    if detail["type"] != "missing":
        return Problem(path, _EXPECTED.get(detail["type"], detail["msg"]), describe(detail["input"]))
    expected = _expected_at(model, steps)
    return Problem(path, expected, "nothing", _misspelling(model, event, steps))


def _expected_at(model: type[Part], steps: _Steps) -> str:
    shape = _shape_at(model, steps)
    return shape.words() if shape else "a value"


def _shape_at(model: type[Part], steps: _Steps) -> Shape | None:
    shape: Shape | None = Shape("object", model=model)
    for step in steps:
        if shape is None:
            return None
        if isinstance(step, int) or shape.model is None:
            shape = shape.item
        else:
            shape = _by_name(shape.model).get(str(step))
    return shape


def _by_name(model: type[Part]) -> dict[str, Shape]:
    return {entry.name: entry.shape for entry in properties(model)}


def _misspelling(model: type[Part], event: Any, steps: _Steps) -> str | None:
    """Say so when an unknown sibling has a name close to the missing one's."""
    *parents, name = steps
    parent = _shape_at(model, tuple(parents))
    siblings = _value_at(event, parents)
    if parent is None or parent.model is None or not isinstance(siblings, dict):
        return None
    unknown = [key for key in siblings if key not in _by_name(parent.model)]
    close = _closest(str(name), unknown)
    return f"did you mean it by {json_path([close])[2:]}?" if close else None


def _value_at(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        value = value[step]
    return value


def _closest(name: str, candidates: Sequence[str]) -> str | None:
    """The candidate that differs least from `name`, letter case and underscores aside."""
    folded = {_folded(candidate): candidate for candidate in candidates}
    close = difflib.get_close_matches(_folded(name), list(folded)[:200], n=1, cutoff=_SIMILAR)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    return name[:64].replace("_", "").replace("-", "").lower()
