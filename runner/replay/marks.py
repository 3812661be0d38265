"""Marks that stand for secret values in a record, and fingerprints that tell a wrong value.

Wherever a secret occurs there stands a mark with the record's own random tag, which a replay turns back into
the value it is given, so that an Action that logs such a mark itself cannot draw a secret out.

A fingerprint is an HMAC under the tag over 20 bits of the value's digest. So a wrong value is told with all
certainty but one in a million, records cannot be matched with each other by it, and whoever holds any number
of records learns no more than those 20 bits of a value.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from runner.flow.redact import Form, Redactor, forms

_MARK: Final = "[secret "
_LONGEST_MARK: Final = 1_000
"""Characters, with room to spare: the names of a module and of its secret are the longest part."""
_PRINT: Final = 10
"""Hexadecimal digits of a fingerprint."""


class Marker(Redactor):
    """Puts marks that can be turned back: they tell Actions and forms apart, and nobody can guess them."""

    _names_parts = True

    def __init__(self, tag: str, secrets: Sequence[Mapping[str, str]]) -> None:
        self._tag = tag
        super().__init__(secrets)

    def _mark(self, form: Form, skipped: int) -> str:
        """`+N`: without its first N characters, which belong to the mark before (secrets may overlap)."""
        rest = f"+{skipped}" if skipped else ""
        return _mark(form.index, form.name, f"{form.number}{rest}", self._tag)


def _mark(index: int, name: str, form: str, tag: str) -> str:
    return f"{_MARK}{index}.{name}.{form} {tag}]"


def fingerprint(tag: str, name: str, value: str) -> str:
    """The fingerprint of the secret `name` in the record with this tag."""
    known = hashlib.sha256(f"{name}\0{value}".encode("utf-8", "surrogatepass")).digest()
    few = bytes((known[0], known[1], known[2] & 0xF0))
    return hmac.new(tag.encode("utf-8", "surrogatepass"), few, "sha256").hexdigest()[:_PRINT]


def is_value(tag: str, name: str, value: str, expected: str) -> bool:
    """Whether `value` has the fingerprint `expected`."""
    found = fingerprint(tag, name, value)
    return hmac.compare_digest(found.encode(), expected.encode("utf-8", "surrogatepass"))


def placeholder(tag: str, index: int, name: str) -> str:
    """What stands for a secret that nobody gave: its own mark. An Action that only passes the secret on does
    the same with it."""
    return _mark(index, name, "0", tag)


def restorer(tag: str, secrets: Sequence[Mapping[str, str]]) -> Callable[[Any], Any]:
    """A function that turns the marks in a JSON value back into values. `secrets`: by Action; placeholders
    among them stand for every form of their secret."""
    restore = partial(turned_back, end=f" {tag}]", values=dict(_values(tag, secrets)))
    return lambda value: restored(value, restore)


def _values(tag: str, secrets: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for index, mapping in enumerate(secrets):
        for name, value in mapping.items():
            same = value == placeholder(tag, index, name)
            for number, form in enumerate(forms(value)):
                yield f"{index}.{name}.{number}", value if same else form


def turned_back(text: str, end: str, values: Mapping[str, str]) -> str:
    """`text` with values in place of marks, all of which end with `end`."""
    *before, rest = text.split(end)
    return "".join((*(_with_value(part, values) or part + end for part in before), rest))


def _with_value(text: str, values: Mapping[str, str]) -> str | None:
    """`text` with the value that the mark at its end stands for; None when there is none. Names may hold
    anything, so each beginning of a mark is tried."""
    least = max(0, len(text) - _LONGEST_MARK)
    at = text.rfind(_MARK, least)
    while at >= 0:
        key = text[at + len(_MARK) :]
        head, _, skipped = key.rpartition("+")
        if key in values:
            return text[:at] + values[key]
        if head in values and skipped.isdecimal():
            return text[:at] + values[head][int(skipped) :]
        at = text.rfind(_MARK, least, at)
    return None


def restored(value: Any, restore: Callable[[str], str]) -> Any:
    """A JSON value with `restore` done to all its strings, keys included."""
    if isinstance(value, str):
        return restore(value)
    if isinstance(value, dict):
        return {restore(key): restored(item, restore) for key, item in value.items()}
    if isinstance(value, list):
        return [restored(item, restore) for item in value]
    return value
