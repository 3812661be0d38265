"""JSON values as they arrive from outside: made safe once, then copied, measured and quoted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

MAX_DEPTH: Final = 64
"""Nesting that is accepted (threat-model M4: 64 to 200)."""
_MAX_INTEGER: Final = 2**1024
"""From here on an integer has no JavaScript number beside it."""
_NESTED: Final = frozenset({dict, list})
MAX_SAFE_INTEGER: Final = 2**53 - 1


class JsonError(ValueError):
    """A value cannot be JSON; the message says why."""


def clean(value: Any, depth: int = 0) -> Any:
    """A deep copy made of plain JSON. Lone surrogates become U+FFFD, NaN and infinities null (as
    `JSON.stringify` does). Raises `JsonError` for anything else that JSON cannot say."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _well_formed(value)
    if value is None or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        return _bounded(value)
    if depth >= MAX_DEPTH:
        raise JsonError(f"is nested more than {MAX_DEPTH} levels deep")
    if kind is list:
        return [clean(item, depth + 1) for item in value]
    if kind is dict:
        return {
            key if type(key) is str and key.isascii() else _key(key): clean(item, depth + 1)
            for key, item in value.items()
        }
    raise JsonError(f"holds a {kind.__name__}, which JSON has no form for")


def _well_formed(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _bounded(number: int) -> int:
    if -_MAX_INTEGER < number < _MAX_INTEGER:
        return number
    raise JsonError("holds an integer beyond the range of numbers")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise JsonError(f"has a key that is a {type(key).__name__}, not a string")
    return _well_formed(key)


def copy(value: Any) -> Any:
    """A deep copy of plain JSON."""
    kind = type(value)
    if kind is dict:
        return {key: copy(item) if type(item) in _NESTED else item for key, item in value.items()}
    if kind is list:
        return [copy(item) if type(item) in _NESTED else item for item in value]
    return value


def text(value: Any) -> str:
    """Compact JSON, as `JSON.stringify` spaces it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(value: Any) -> int:
    """UTF-8 bytes of the compact JSON."""
    return len(text(value).encode())


def units(value: str) -> int:
    """UTF-16 code units: what JavaScript calls the length of a string."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2


def cut(value: str, limit: int) -> str:
    """The first `limit` UTF-16 code units, without half a character at the end."""
    return (
        value
        if units(value) <= limit
        else value.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
    )


def shown(value: Any, limit: int = 60) -> str:
    """A value quoted in an error: JSON, cut."""
    quoted = text(value)
    return quoted if len(quoted) <= limit else quoted[: limit - 1] + "…"


def member(value: Any, *path: str) -> Any:
    """The value at `path` in nested objects, None when anything on the way is missing."""
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def record(value: Any, *path: str) -> dict[str, Any]:
    """Like `member`, for an object: an empty one when there is none. Not to be changed."""
    found = member(value, *path)
    return found if isinstance(found, dict) else {}


def replaced(value: Mapping[str, Any], path: Sequence[str], new: Any) -> dict[str, Any]:
    """A copy of an object with `new` at `path`; shares what it does not change."""
    head, *rest = path
    return {**value, head: replaced(record(value, head), rest, new) if rest else new}
