"""Request bodies as JSON: nothing that other parsers would read differently gets past here.

Python's parser takes more than JSON has (NaN, equal keys, lone surrogates) and fails in its own ways on the
rest (threat-model M6, P5). Here each of them is one refusal that names the place.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from runner.http.validation import json_path, shown
from runner.model.caps import MAX_BODY_DEPTH
from sandbox.core.caps import MAX_INTEGER_DIGITS
from sandbox.core.json_text import depth

_NAME: Final = r'"([A-Za-z_]+)"[ \t\n\r]*:[ \t\n\r]*'
_OPENING: Final = re.compile(r"[ \t\n\r]*\{[ \t\n\r]*" + _NAME)
_FURTHER: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*" + _NAME)
_CLOSING: Final = re.compile(r"[ \t\n\r]*\}[ \t\n\r]*")


class BodyError(ValueError):
    """A body is not JSON that the service takes; the text says what and where."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the parsed value for something that must not be there."""

    why: str


class _Repeats(dict[str, Any]):
    """An object in which `key` stood twice."""

    key = ""


class Members(dict[str, Any]):
    """A body that is an object, with the text of its members, which can be handed on as it came."""

    __slots__ = ("_places", "_text")

    def __init__(self, values: dict[str, Any], text: str, places: dict[str, tuple[int, int]]) -> None:
        super().__init__(values)
        self._text = text
        self._places = places

    def text_of(self, name: str) -> bytes:
        """The JSON text of a member. Raises `KeyError`."""
        begin, end = self._places[name]
        return self._text[begin:end].encode()


def parse_body(raw: bytes) -> Any:
    """The value of a body: `Members` of nearly all objects.

    Raises:
        BodyError: not UTF-8, not JSON, nested deeper than `MAX_BODY_DEPTH`, a number that a double cannot
            hold, NaN or Infinity, an object with equal keys, a NUL or a lone surrogate in a string.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = raw[error.start]
        raise BodyError(f"the body is not UTF-8: byte {byte:#04x} at offset {error.start}.") from None
    # Counting all brackets is cheap, and enough for most.
    if text.count("[") + text.count("{") > MAX_BODY_DEPTH and depth(text, MAX_BODY_DEPTH) > MAX_BODY_DEPTH:
        raise BodyError(f"the body is nested deeper than {MAX_BODY_DEPTH} levels.")
    parsing = _Parsing()
    try:
        value = parsing.members(text)
        if value is None:
            value = parsing.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BodyError(f"the body is not JSON: {error.msg} ({place}).") from None
    except (ValueError, RecursionError, MemoryError):
        raise BodyError("the body is not JSON.") from None
    if parsing.odd or "\\u" in text:
        _look_through(value, [])
    return value


@dataclass(slots=True)
class _Parsing:
    """One parse; what must not be there is marked first and placed by a walk later."""

    odd: bool = False
    decode: Any = field(init=False)
    scan: Any = field(init=False)

    def __post_init__(self) -> None:
        decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )
        self.decode, self.scan = decoder.decode, decoder.raw_decode

    def members(self, text: str) -> Members | None:
        """The object that `text` is; None for anything that is out of the ordinary, which `decode` judges."""
        values: dict[str, Any] = {}
        places: dict[str, tuple[int, int]] = {}
        before = _OPENING.match(text)
        while before is not None:
            name = before[1]
            try:
                value, end = self.scan(text, before.end())
            except (ValueError, RecursionError):
                return None
            if name in values:
                return None
            values[name], places[name] = value, (before.end(), end)
            if _CLOSING.fullmatch(text, end):
                return Members(values, text, places)
            before = _FURTHER.match(text, end)
        return None

    def _refuse(self, why: str) -> _Refused:
        self.odd = True
        return _Refused(why)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        self.odd = True
        repeats = _Repeats(value)
        seen: set[str] = set()
        repeats.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return repeats

    def _integer(self, digits: str) -> Any:
        if len(digits) > MAX_INTEGER_DIGITS:
            return self._refuse(f"an integer of more than {MAX_INTEGER_DIGITS} digits")
        return int(digits)

    def _float(self, digits: str) -> Any:
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            return self._refuse("a number that is too large")
        return value

    def _constant(self, name: str) -> Any:
        return self._refuse(f"{name}, which JSON does not have")


def _look_through(value: Any, path: list[int | str]) -> None:
    """Raises `BodyError` for the first thing that must not be there."""
    if isinstance(value, _Refused):
        raise BodyError(f"there is {value.why} at {json_path(path)}.")
    if isinstance(value, str):
        _check_text(value, path, "the string")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _look_through(item, [*path, index])
    elif isinstance(value, dict):
        if isinstance(value, _Repeats):
            raise BodyError(f"the property {shown(value.key)} stands twice at {json_path(path)}.")
        for key, item in value.items():
            _check_text(key, path, "a property name")
            _look_through(item, [*path, key])


def _check_text(text: str, path: list[int | str], what: str) -> None:
    if "\0" in text:
        raise BodyError(f"{what} at {json_path(path)} holds a NUL character.")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise BodyError(f"{what} at {json_path(path)} holds half a surrogate pair, which is no character.")
