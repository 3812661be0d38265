"""Ignore rules from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from runner.model.errors import InputError
from runner.project.jsonfile import read_text
from runner.shadow.rules import MAX_RULES, IgnoreRule
from runner.testing.cases.yaml import parse_yaml

_RULES: Final = TypeAdapter(list[IgnoreRule])


def read_rules(path: Path | None) -> list[IgnoreRule]:
    """The rules in a YAML or JSON file: a list. Raises `InputError` (`invalid_rules`)."""
    if path is None:
        return []
    data = parse_yaml(read_text(path, "rules"), "rules", str(path))
    try:
        rules = _RULES.validate_python(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"])
        raise InputError(
            "invalid_rules",
            f"{path}: ${place}: {found['msg']}",
            next_step="Such as {cause: log, path: '*', owner: ann, until: 2026-12-31}: each has an owner and "
            "an end.",
            source=str(path),
        ) from None
    if len(rules) > MAX_RULES:
        raise InputError("invalid_rules", f"{path} has {len(rules)} rules; the most is {MAX_RULES}")
    return rules
