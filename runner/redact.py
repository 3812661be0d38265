"""Secret values are taken out of everything that is stored or shown (threat-model S2).

Exact matches of the values, of their JSON-escaped forms and of their `repr` are covered; encodings that an
Action makes itself (base64, hashes, parts of a value) are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from runner.caps import MIN_REDACTED_SECRET


class Redactor:
    """Replaces secret values by `[secret NAME]` in text and in JSON values."""

    def __init__(self, secrets: Iterable[Mapping[str, str]]) -> None:
        """`secrets`: those of every Action of the flow."""
        self._marks: dict[str, str] = {}
        for index, mapping in enumerate(secrets):
            for name, value in mapping.items():
                if len(value) >= MIN_REDACTED_SECRET:
                    for number, form in enumerate(forms(value)):
                        self._marks.setdefault(form, self._mark(index, name, number))
        longest_first = sorted(self._marks, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    @property
    def idle(self) -> bool:
        """There is nothing to redact."""
        return self._pattern is None

    def _mark(self, index: int, name: str, form: int) -> str:  # noqa: ARG002 - subclasses tell more apart
        """What stands in for a form of secret `name` of the Action at `index`."""
        return f"[secret {name}]"

    def text(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._marks[found[0]], text)

    def value(self, value: Any) -> Any:
        """A copy of a JSON value or of a frozen record, redacted in all its strings, keys included."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            redacted = self.text(value)
            return value if redacted == value else redacted
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.value(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            changed = {item.name: self.value(getattr(value, item.name)) for item in fields(value)}
            return replace(value, **changed)
        return value


def forms(value: str) -> tuple[str, ...]:
    """The value as it is, as it stands in JSON text with and without escapes of its own, and as Python shows
    it inside a list."""
    return value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]
