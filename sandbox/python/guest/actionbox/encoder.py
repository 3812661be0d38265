"""Values of Actions as JSON for the host: converted once, to plain data, under caps.

Only unbound methods of the builtin types touch a value, so a subclass that lies about its items or its
text is taken for what it really holds (threat-model K2).
"""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import json
import types
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from .errors import OutputError

MAX_DEPTH = 60
"""Levels of containers; the host reads 64 with its own around them."""
MAX_CHARACTERS = 4 * 1024 * 1024
"""Characters of JSON, counted while producing. The host's own caps are lower and depend on the call."""
MAX_ARGUMENTS = 512 * 1024
"""The same for the arguments of an api call: a shared graph that doubles ends here within a second."""
MAX_INTEGER_BITS = 13_000
"""About 3900 digits; Python refuses to write integers of more than 4300."""


def encode(value: object, most: int = MAX_CHARACTERS) -> str:
    """JSON text of `value`.

    None, bool, int, str, list, tuple, dict pass as they are. Floats that JSON lacks (NaN, infinities)
    become null; sets sorted lists; date, time and datetime ISO strings; timedelta seconds; UUID strings;
    Decimal and Fraction numbers; enum members their value; dataclasses objects; lone surrogates U+FFFD.

    Raises:
        TypeError: something has no JSON form, or contains itself.
        OutputError: too deep or too large.
    """
    if type(value) is str and value.isascii() and len(value) < 10_000:
        return _dumps(value)
    return _dumps(_Conversion(most).plain(value, 0))


_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False).encode


def clean(text: str) -> str:
    """An exact `str` without lone surrogates, which UTF-8 cannot carry."""
    text = str.__str__(text)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class _Conversion:
    """One conversion: what it has used of the caps, and which containers it is inside of."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self.inside: set[int] = set()

    def plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            self.count(len(value) + 2)
            return value if value.isascii() else clean(value)
        if value is None or kind is bool:
            self.count(5)
            return value
        if kind is int:
            return self.integer(value)
        if kind is float:
            self.count(8)
            return value if value - value == 0.0 else None
        return self.container(value, depth) if isinstance(value, _CONTAINERS) else self.other(value, depth)

    def count(self, characters: int) -> None:
        self.size += characters
        if self.size > self.most:
            raise OutputError(f"The value is larger than {self.most} characters of JSON.")

    def integer(self, value: int) -> int:
        if value.bit_length() > MAX_INTEGER_BITS:
            raise OutputError("The integer has more than 3900 digits.")
        self.count(8 + (value.bit_length() >> 2))
        return value

    def container(self, value: Any, depth: int) -> Any:
        if id(value) in self.inside:
            raise TypeError("The value contains itself, so it has no JSON form.")
        if depth >= MAX_DEPTH:
            raise OutputError(f"The value is nested deeper than {MAX_DEPTH} levels.")
        self.inside.add(id(value))
        self.count(2)
        try:
            return self.items(value, depth + 1)
        finally:
            self.inside.discard(id(value))

    def items(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return {self.key(key): self.plain(item, depth) for key, item in dict.items(value)}
        if isinstance(value, types.MappingProxyType):
            return {self.key(key): self.plain(item, depth) for key, item in value.items()}
        for kind, iterate in _ITERATE:
            if isinstance(value, kind):
                plain = [self.plain(item, depth) for item in iterate(value)]
                return _sorted(plain) if kind in _UNORDERED else plain
        raise AssertionError("every container has a way to iterate")

    def key(self, key: Any) -> str:
        if isinstance(key, str) and not isinstance(key, enum.Enum):
            self.count(len(key) + 3)
            return clean(key)
        if key is None or isinstance(key, (bool, int, float, str)):
            plain = self.plain(key, 0)
            return plain if type(plain) is str else _dumps(plain)
        raise TypeError(f"A key of an object must be a string, not {type(key).__name__}.")

    def other(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise OutputError(f"The value is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, enum.Enum):
            return self.plain(value._value_, depth + 1)
        for base, convert in _CONVERT:
            if isinstance(value, base):
                return self.plain(convert(value), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
            return self.container(fields, depth)
        remedy = "; use base64.b64encode(value).decode()" if isinstance(value, (bytes, bytearray)) else ""
        raise TypeError(f"A value of type {type(value).__name__} has no JSON form{remedy}.")


_CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque, range, types.MappingProxyType)
_ITERATE: tuple[tuple[type, Callable[[Any], Iterable[Any]]], ...] = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (collections.deque, collections.deque.__iter__),
    (range, range.__iter__),
)
_UNORDERED = (set, frozenset)


def _sorted(items: list[Any]) -> list[Any]:
    """Sets have no order worth sending; a sorted list is the same in every run."""
    try:
        return sorted(items)
    except TypeError:
        return items


def _decimal(value: decimal.Decimal) -> float:
    """An integral Decimal stays exact; others become the nearest float."""
    if not decimal.Decimal.is_finite(value):
        return float("nan")
    whole = decimal.Decimal.__eq__(value, decimal.Decimal.to_integral_value(value)) and abs(value) < 10**30
    return decimal.Decimal.__int__(value) if whole else decimal.Decimal.__float__(value)


def _fraction(value: fractions.Fraction) -> float:
    return value.numerator if value.denominator == 1 else value.numerator / value.denominator


_CONVERT: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (dt.datetime, dt.datetime.isoformat),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (dt.timedelta, dt.timedelta.total_seconds),
    (uuid.UUID, uuid.UUID.__str__),
    (decimal.Decimal, _decimal),
    (fractions.Fraction, _fraction),
)
