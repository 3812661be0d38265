"""Is an event JSON, and JSON of a size that can be handled?

Events come from callers' own code as well as from parsers, and Python's parser accepts more than JSON
(NaN, 1e999, lone surrogates). Guests and stores must never meet such values. An event that comes as text is
checked while it is parsed, which leaves out a walk through all of its values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from math import isfinite
from typing import Any, Final, Never

from pydantic_core import to_json

from triggers.values.problems import MAX_PROBLEMS, EventError, Problem, describe, json_path

MAX_DEPTH: Final = 64
"""Nesting of an event, itself included (the sandbox counts the same way for what guests send)."""
MAX_BYTES: Final = 1024 * 1024
"""UTF-8 bytes of an event as compact JSON."""
MAX_INTEGER_BITS: Final = 1023
"""Above it a JavaScript number would be infinite."""

_STRINGS: Final = {str}
_NESTED: Final = frozenset({dict, list})
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape of half a character."""
_MAX_DIGITS: Final = 300
"""Of a number that is surely in range."""
_Steps = tuple[str | int, ...]


class _Budget:
    """Values that may still be visited: references shared many times over (YAML) unfold without end."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_BYTES // 2  # no value takes less than two bytes, its comma included


def require_plain(value: Any) -> None:
    """Raise EventError unless `value` is finite, well-formed JSON within depth and size."""
    budget = _Budget()
    if not _is_plain(value, MAX_DEPTH, budget):
        if budget.left < 0:
            raise EventError([_too_big("more")])
        raise EventError(islice(_faults(value, (), _Budget()), MAX_PROBLEMS))
    size = len(to_json(value))
    if size > MAX_BYTES:
        raise EventError([_too_big(f"{size} bytes")])


def parse_plain(text: bytes) -> Any:
    """The value of JSON text; of equal names the last one counts. Raises EventError as `require_plain` does,
    and for what is no JSON in UTF-8."""
    try:
        written = text.decode()
        if len(text) <= MAX_BYTES and not _SURROGATE.search(written):
            value = _DECODER.decode(written)
            if written.count("{") + written.count("[") <= MAX_DEPTH or not _deeper(value, MAX_DEPTH):
                return value
    except _OddError:
        pass  # said below, and where it is
    except (ValueError, RecursionError):
        raise EventError([Problem("$", "JSON in UTF-8", "something else")]) from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise EventError([Problem("$", "JSON of bounded numbers and nesting", "something else")]) from None
    require_plain(value)
    return value


class _OddError(Exception):
    """Python's parser takes it, and JSON does not have it."""


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _OddError
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise _OddError
    return value


def _constant(_name: str) -> Never:
    raise _OddError


_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=_constant)


def _deeper(value: Any, room: int) -> bool:
    """Whether lists and objects are nested deeper than `room`."""
    if type(value) not in _NESTED:
        return False
    if room < 1:
        return True
    items = value.values() if type(value) is dict else value
    return any(type(item) in _NESTED and _deeper(item, room - 1) for item in items)


def _too_big(found: str) -> Problem:
    return Problem("$", f"at most {MAX_BYTES} bytes of JSON", found)


def _is_plain(value: Any, room: int, budget: _Budget) -> bool:
    # Exact types: a subclass could change under us, and is not what a parser yields.
    kind = type(value)
    if kind is str:
        return value.isascii() or _encodes(value)
    if kind is dict:
        return _are_names(value) and _are_plain(value.values(), len(value), room, budget)
    if kind is list:
        return _are_plain(value, len(value), room, budget)
    return _is_plain_scalar(value)


def _are_names(keys: Collection[Any]) -> bool:
    # Without a step of ours for each name: an event has more names than values that are looked at.
    if not keys:
        return True
    return set(map(type, keys)) == _STRINGS and ("".join(keys).isascii() or all(map(_encodes, keys)))


def _are_plain(values: Iterable[Any], count: int, room: int, budget: _Budget) -> bool:
    budget.left -= count
    if room < 1 or budget.left < 0:
        return False
    # A loop with the common case inlined: this runs for every value of every event.
    for value in values:
        if type(value) is str and value.isascii():
            continue
        if not _is_plain(value, room - 1, budget):
            return False
    return True


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


def _faults(value: Any, steps: _Steps, budget: _Budget) -> Iterator[Problem]:
    """Every fault, in document order; lazily, as a hostile value can have millions."""
    if isinstance(value, dict | list):
        budget.left -= len(value)
    if budget.left < 0:
        return
    if isinstance(value, dict | list) and len(steps) >= MAX_DEPTH:
        yield Problem(json_path(steps), f"at most {MAX_DEPTH} levels of nesting", describe(value))
    elif type(value) is dict:
        for key, item in value.items():
            yield from _key_fault(key, steps) or _faults(item, (*steps, key), budget)
    elif type(value) is list:
        for index, item in enumerate(value):
            yield from _faults(item, (*steps, index), budget)
    elif not _is_plain(value, 1, budget):
        yield Problem(json_path(steps), _wanted(value), describe(value))


def _key_fault(key: Any, steps: _Steps) -> list[Problem]:
    if type(key) is not str:
        return [Problem(json_path(steps), "property names that are strings", f"{describe(key)} as a name")]
    if not _encodes(key):
        return [
            Problem(json_path(steps), "property names that are valid Unicode", f"{describe(key)} as a name")
        ]
    return []


def _wanted(value: Any) -> str:
    if type(value) is str:
        return "valid Unicode (no lone surrogates)"
    if type(value) in (int, float):
        return "a number that is finite as a 64-bit float"
    return "a JSON value"
