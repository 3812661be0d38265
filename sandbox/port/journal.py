"""The journal of an execution: every host call in order, enough to run it again bit by bit.

Operations and the shapes of their arguments and results stand in `SHAPES`. Clock readings are
run-length coded: an entry stands where its value was first read and counts all later readings of that
value, also those after other calls. A `stop` entry stands after the call that ended the execution.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

VERSION: Final = 1


class Shape(NamedTuple):
    """Fields of an operation's arguments and of its result, with the names of their types."""

    arguments: dict[str, str]
    result: dict[str, str]


SHAPES: Final[dict[str, Shape]] = {
    "api": Shape({"path": "text", "arguments": "text"}, {"reply": "text", "recorded": "flag"}),
    "log": Shape({"level": "text", "text": "text"}, {"at_ms": "number", "cut_bytes": "count"}),
    "log_dropped": Shape({}, {"bytes": "count"}),
    "start": Shape({"operation": "text", "arguments": "text"}, {"handle": "count"}),
    "wait": Shape({"handles": "wholes", "timeout_ms": "number or null"}, {"answer": "text"}),
    "cancel": Shape({"handle": "whole"}, {}),
    "wall": Shape({}, {"ms": "whole"}),
    "monotonic": Shape({}, {"ms": "whole"}),
    "random": Shape({"count": "whole"}, {"base64": "base64"}),
    "compute": Shape({"operation": "text", "arguments": "text"}, {"answer": "text"}),
    "stop": Shape({}, {"code": "text", "message": "text", "detail": "facts"}),
}
"""Every operation. `start` is a fetch begun, `wait` a wait for any of its handles or a sleep.
`compute` stands for the computations in `hostcrypto.RECORDED` only, with a digest for their arguments."""

REPEATABLE: Final = frozenset({"wall", "monotonic", "log_dropped"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One host call.

    Attributes:
        sequence: position, from 1.
        operation: a key of `SHAPES`.
        arguments: what the guest gave, by name.
        result: what the guest got, by name.
        repeat: calls that this entry stands for (more than 1 only for those in `REPEATABLE`).
    """

    sequence: int
    operation: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """All host calls of one execution, in order.

    `outcome` is the failure code that the execution ended with; None when its handler completed.
    """

    entries: tuple[Entry, ...] = ()
    outcome: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As JSON values that `from_data` takes back."""
        entries = [_entry_to_data(entry) for entry in self.entries]
        return {"version": VERSION, "outcome": self.outcome, "entries": entries}

    def to_json(self) -> str:
        return json.dumps(self.to_data(), separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_data(data: Any) -> Journal:
        """The journal in `data`, a parsed JSON value. Raises `JournalError`."""
        return _read_journal(data)

    @staticmethod
    def from_json(text: str) -> Journal:
        """The journal in `text`. Raises `JournalError`: no JSON, another version, or a part that
        does not fit, named by its JSON path."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise JournalError("$", f"is not JSON ({error})") from error
        return _read_journal(data)


class JournalError(ValueError):
    """A journal cannot be read. `path` is the JSON path of the part that does not fit."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"journal: {path} {problem}")
        self.path = path


def _entry_to_data(entry: Entry) -> dict[str, Any]:
    data: dict[str, Any] = {
        "sequence": entry.sequence,
        "operation": entry.operation,
        "arguments": dict(entry.arguments),
        "result": dict(entry.result),
    }
    if entry.repeat != 1:
        data["repeat"] = entry.repeat
    return data


def _read_journal(data: Any) -> Journal:
    _expect(isinstance(data, dict), "$", "must be an object")
    _expect(data.get("version") == VERSION, "$.version", f"must be {VERSION}: this release reads no other")
    outcome = data.get("outcome")
    _expect(outcome is None or isinstance(outcome, str), "$.outcome", "must be a failure code or null")
    entries = data.get("entries")
    _expect(isinstance(entries, list), "$.entries", "must be an array")
    return Journal(tuple(_read_entry(item, number) for number, item in enumerate(entries)), outcome)


def _read_entry(data: Any, index: int) -> Entry:
    path = f"$.entries[{index}]"
    _expect(isinstance(data, dict), path, "must be an object")
    in_order = data.get("sequence") == index + 1
    _expect(in_order, f"{path}.sequence", f"must be {index + 1}: entries are in order")
    operation = data.get("operation")
    known = isinstance(operation, str) and operation in SHAPES
    _expect(known, f"{path}.operation", f"must be one of {', '.join(SHAPES)}")
    shape = SHAPES[operation]
    arguments = _read_fields(data.get("arguments"), shape.arguments, f"{path}.arguments")
    result = _read_fields(data.get("result"), shape.result, f"{path}.result")
    return Entry(index + 1, operation, arguments, result, _read_repeat(data, operation, path))


def _read_repeat(data: dict[str, Any], operation: str, path: str) -> int:
    repeat = data.get("repeat", 1)
    _expect(_is_whole(repeat) and repeat >= 1, f"{path}.repeat", "must be a whole number from 1")
    _expect(repeat == 1 or operation in REPEATABLE, f"{path}.repeat", f"is not for {operation}")
    return int(repeat)


def _read_fields(data: Any, fields: dict[str, str], path: str) -> dict[str, Any]:
    _expect(isinstance(data, dict), path, "must be an object")
    for name, kind in fields.items():
        _expect(name in data, f"{path}.{name}", "is missing")
        fits = _KINDS[kind]
        _expect(fits(data[name]), f"{path}.{name}", f"must be {_PHRASES[kind]}")
    unknown = next((name for name in data if name not in fields), None)
    _expect(unknown is None, f"{path}.{unknown}", "is not known here")
    return dict(data)


def _expect(holds: bool, path: str, problem: str) -> None:
    if not holds:
        raise JournalError(path, problem)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value >= 0


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and abs(value) != float("inf") and value == value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return False
    return isinstance(value, str)


def _is_facts(value: Any) -> bool:
    scalar = (str, int, float, bool, type(None))
    return isinstance(value, dict) and all(isinstance(item, scalar) for item in value.values())


_KINDS: Final = {
    "text": _is_text,
    "flag": lambda value: isinstance(value, bool),
    "number": _is_number,
    "number or null": lambda value: value is None or _is_number(value),
    "whole": _is_whole,
    "count": _is_count,
    "wholes": lambda value: isinstance(value, list) and all(_is_whole(item) for item in value),
    "base64": _is_base64,
    "facts": _is_facts,
}
_PHRASES: Final = {
    "text": "text",
    "flag": "true or false",
    "number": "a number",
    "number or null": "a number or null",
    "whole": "a whole number",
    "count": "a whole number from 0",
    "wholes": "an array of whole numbers",
    "base64": "base64 text",
    "facts": "an object of plain values",
}
