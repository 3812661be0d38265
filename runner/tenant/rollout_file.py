"""The file that says how to roll out: YAML or JSON, as `POST …/rollouts` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from runner.http.validation import first_problem
from runner.model.errors import InputError
from runner.project.jsonfile import read_text
from runner.rollouts.plan import RolloutPlan
from runner.testing.cases.yaml import parse_yaml

_MAX_BYTES: Final = 256 * 1024
USUAL: Final[Mapping[str, Any]] = {
    "stages": [
        {"canary": {"percent": 5, "events": 200}},
        {"canary": {"percent": 25, "events": 500}},
        {"promote": True},
    ]
}
"""Without a file."""


def read_plan(path: Path) -> dict[str, Any]:
    """The plan in a file, checked before anything is sent.

    Raises:
        InputError: `unreadable`, `not_yaml`, or `invalid_rollout` with the place in the file.
    """
    value = parse_yaml(read_text(path, "rollout file", limit=_MAX_BYTES), "rollout file", str(path))
    try:
        RolloutPlan.model_validate(value)
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        said = first_problem(found)[0].removeprefix("Payload validation error: ")
        raise InputError("invalid_rollout", f"rollout file {path}: {said}", source=str(path)) from None
    checked: dict[str, Any] = value
    return checked
