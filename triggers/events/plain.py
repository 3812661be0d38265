"""Is a Python value JSON, and JSON of a size that can be handled?

Events come from callers' own code as well as from parsers, and Python's parser accepts more than JSON
(NaN, 1e999, lone surrogates). Guests and stores must never meet such values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

from triggers.events.problems import MAX_PROBLEMS, EventError, Problem, describe, json_path

MAX_DEPTH: Final = 64
"""Nesting of an event, itself included (the sandbox counts the same way for what guests send)."""
MAX_BYTES: Final = 1024 * 1024
"""UTF-8 bytes of an event as compact JSON."""
MAX_INTEGER_BITS: Final = 1023
"""Above it a JavaScript number would be infinite."""
_WORST_ESCAPE: Final = 6
"""Bytes that JSON can need for one character (a control character's escape)."""

_Steps = tuple[str | int, ...]


def require_plain(value: Any) -> None:
    """Raise EventError unless `value` is finite, well-formed JSON within depth and size."""
    if not _is_plain(value, MAX_DEPTH):
        problems = []
        for problem in _faults(value, ()):
            problems.append(problem)
            if len(problems) == MAX_PROBLEMS:
                break
        raise EventError(problems)
    if _weight(value) > MAX_BYTES and len(_compact(value)) > MAX_BYTES:
        raise EventError([Problem("$", f"at most {MAX_BYTES} bytes of JSON", f"{len(_compact(value))} bytes")])


def _is_plain(value: Any, room: int) -> bool:
    # Exact types: a subclass could change under us, and is not what a parser yields.
    kind = type(value)
    if kind is str:
        return value.isascii() or _encodes(value)
    if kind is dict:
        return room > 0 and all(
            type(key) is str and (key.isascii() or _encodes(key)) and _is_plain(item, room - 1)
            for key, item in value.items()
        )
    if kind is list:
        return room > 0 and all(_is_plain(item, room - 1) for item in value)
    return _is_plain_scalar(value)


def _is_plain_scalar(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return bool(value.bit_length() <= MAX_INTEGER_BITS)
    if kind is float:
        return isfinite(value)
    return kind is bool or value is None


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _weight(value: Any) -> int:
    """An upper bound of the compact JSON's bytes, cheap to compute."""
    if isinstance(value, str):
        return _WORST_ESCAPE * len(value) + 3
    if isinstance(value, dict):
        return 2 + sum(_WORST_ESCAPE * len(key) + 4 + _weight(item) for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(_weight(item) + 1 for item in value)
    return 32 if not isinstance(value, int) else 8 + value.bit_length()


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _faults(value: Any, steps: _Steps) -> Iterator[Problem]:
    """Every fault, in document order; lazily, as a hostile value can have millions."""
    if isinstance(value, dict | list) and len(steps) >= MAX_DEPTH:
        yield Problem(json_path(steps), f"at most {MAX_DEPTH} levels of nesting", describe(value))
    elif type(value) is dict:
        for key, item in value.items():
            yield from _key_fault(key, steps) or _faults(item, (*steps, key))
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _faults(item, (*steps, index))
    elif not _is_plain(value, 1):
        yield Problem(json_path(steps), _wanted(value), describe(value))


def _key_fault(key: Any, steps: _Steps) -> list[Problem]:
    if type(key) is not str:
        return [Problem(json_path(steps), "property names that are strings", f"{describe(key)} as a name")]
    if not _encodes(key):
        return [Problem(json_path(steps), "property names that are valid Unicode", f"{describe(key)} as a name")]
    return []


def _wanted(value: Any) -> str:
    if type(value) is str:
        return "valid Unicode (no lone surrogates)"
    if type(value) in (int, float):
        return "a number that is finite as a 64-bit float"
    return "a JSON value"
