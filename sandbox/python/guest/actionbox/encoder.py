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

MAX_DEPTH = 60
MAX_CHARACTERS = 4 * 1024 * 1024
MAX_INTEGER_BITS = 13_000


class OutputError(ValueError):
    """A value is larger or deeper than what an Action may send."""


def encode(value):
    """JSON text of `value`.

    None, bool, int, str, list, tuple, dict pass as they are. Floats that JSON lacks (NaN, infinities) become
    null; sets sorted lists; date, time and datetime ISO strings; UUID strings; Decimal and Fraction numbers;
    enum members their value; dataclasses objects.

    Raises:
        TypeError: something has no JSON form, or contains itself.
        OutputError: too deep or too large.
    """
    kind = type(value)
    if kind is str and value.isascii() and len(value) < 10_000:
        return _dumps(value)
    return _dumps(_Plain().of(value, 0))


_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False).encode


def clean(text):
    """An exact `str` without lone surrogates."""
    text = str.__str__(text)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class _Plain:
    """One conversion, with what it has used of the caps and which containers it is inside of."""

    def __init__(self):
        self.size = 0
        self.inside = set()

    def of(self, value, depth):
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

    def count(self, characters):
        self.size += characters
        if self.size > MAX_CHARACTERS:
            raise OutputError(f"the value is larger than {MAX_CHARACTERS} characters of JSON")

    def integer(self, value):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise OutputError("the integer has more than 3900 digits")
        self.count(8 + (value.bit_length() >> 2))
        return value

    def container(self, value, depth):
        if depth >= MAX_DEPTH:
            if id(value) in self.inside:
                raise TypeError("the value contains itself, so it has no JSON form")
            raise OutputError(f"the value is nested deeper than {MAX_DEPTH} levels")
        if id(value) in self.inside:
            raise TypeError("the value contains itself, so it has no JSON form")
        self.inside.add(id(value))
        self.count(2)
        try:
            return self.items(value, depth + 1)
        finally:
            self.inside.discard(id(value))

    def items(self, value, depth):
        if isinstance(value, dict):
            return {self.key(key): self.of(item, depth) for key, item in dict.items(value)}
        if isinstance(value, types.MappingProxyType):
            return {self.key(key): self.of(item, depth) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item, depth) for item in list.__iter__(value)]
        if isinstance(value, tuple):
            return [self.of(item, depth) for item in tuple.__iter__(value)]
        if isinstance(value, set):
            return self.sorted(set.__iter__(value), depth)
        if isinstance(value, frozenset):
            return self.sorted(frozenset.__iter__(value), depth)
        return [self.of(item, depth) for item in _ITERATE[_base(value)](value)]

    def sorted(self, items, depth):
        plain = [self.of(item, depth) for item in items]
        try:
            return sorted(plain)
        except TypeError:
            return plain

    def key(self, key):
        if isinstance(key, str) and not isinstance(key, enum.Enum):
            self.count(len(key) + 3)
            return clean(key)
        if key is None or isinstance(key, (bool, int, float, str)):
            plain = self.of(key, 0)
            return plain if type(plain) is str else _dumps(plain)
        raise TypeError(f"an object key must be a string, not {type(key).__name__}")

    def other(self, value, depth):
        if isinstance(value, enum.Enum):
            return self.of(value._value_, depth + 1) if depth < MAX_DEPTH else self.container([], depth)
        for base, convert in _CONVERT:
            if isinstance(value, base):
                return self.of(convert(value), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
            return self.container(fields, depth)
        remedy = "; use base64.b64encode(value).decode()" if isinstance(value, (bytes, bytearray)) else ""
        raise TypeError(f"{type(value).__name__} has no JSON form{remedy}")


_CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque, range, types.MappingProxyType)
_ITERATE = {collections.deque: collections.deque.__iter__, range: range.__iter__}


def _base(value):
    return collections.deque if isinstance(value, collections.deque) else range


def _number(value):
    exact = decimal.Decimal.__int__(value) if value.is_finite() else None
    return exact if exact is not None and exact == value else float(value)


def _fraction(value):
    return value.numerator if value.denominator == 1 else value.numerator / value.denominator


_CONVERT = (
    (str, str.__str__),
    (bool, bool),
    (int, int.__int__),
    (float, float.__float__),
    (dt.datetime, dt.datetime.isoformat),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (dt.timedelta, dt.timedelta.total_seconds),
    (uuid.UUID, uuid.UUID.__str__),
    (decimal.Decimal, _number),
    (fractions.Fraction, _fraction),
)
