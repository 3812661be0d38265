"""What is wrong with an event: JSON path, what was expected, what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from triggers.explain import describe, locate
from triggers.jsonvalue import shown


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `path` is a JSON path such as `$.user.email`."""

    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


class EventError(ValueError):
    """An event does not fit its trigger; `problems` says where, the first one first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """pydantic's findings as problems, one per place."""
    problems: dict[str, Problem] = {}
    for found in error.errors(include_url=False):
        where, annotation = locate(("event", *found["loc"]), {"event": model})
        path = "$" + "".join(part if part.startswith("[") else f".{part}" for part in where[1:])
        missing = found["type"] == "missing"
        problems.setdefault(
            path,
            Problem(path, _expected(found, annotation), "nothing" if missing else _seen(found["input"])),
        )
    return list(problems.values())


def _expected(found: Any, annotation: Any) -> str:
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    words = describe(annotation)
    return words if words != "a JSON value" else str(found["msg"]).removeprefix("Input should be ")


def _seen(value: Any) -> str:
    """Events carry personal data, so only scalars are quoted, and those cut."""
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else shown(value)
