"""JSON as people hand it in: read with caps, and with the line and column of what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from runner.model.caps import MAX_INPUT_DEPTH, MAX_INPUT_FILE_BYTES
from runner.model.errors import InputError
from sandbox.core.json_text import JsonRefusedError, parse

_STDIN: Final = "-"


def read_text(path: str | Path, what: str, *, limit: int = MAX_INPUT_FILE_BYTES) -> str:
    """The UTF-8 text of a file, or of standard input for `-`.

    Raises:
        InputError: `not_found`, `is_folder`, `unreadable`, `too_large`, `not_utf8`.
    """
    name = "standard input" if str(path) == _STDIN else str(path)
    raw = _read(path, name, what, limit)
    if len(raw) > limit:
        raise InputError("too_large", f"{what} {name} is larger than {limit} bytes", source=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "not_utf8",
            f"{what} {name} is not UTF-8 text: byte {raw[error.start]:#04x} at offset {error.start}",
            source=name,
        ) from None


def _read(path: str | Path, name: str, what: str, limit: int) -> bytes:
    if str(path) == _STDIN:
        return sys.stdin.buffer.read(limit + 1)
    try:
        if Path(path).is_dir():
            raise InputError("is_folder", f"{what} {name} is a folder, not a file", source=name)
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise InputError("not_found", f"there is no {what} {name}", source=name) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError("unreadable", f"{what} {name} cannot be read: {reason}", source=name) from None


def read_json(path: str | Path, what: str, *, limit: int = MAX_INPUT_FILE_BYTES) -> Any:
    """The JSON value in a file, or on standard input for `-`. Raises `InputError` (as `read_text`, and
    `not_json`, `too_deep`)."""
    name = "standard input" if str(path) == _STDIN else str(path)
    return parse_json(read_text(path, what, limit=limit), what, name)


def parse_json(text: str, what: str, name: str) -> Any:
    """The JSON value of `text`; numbers that no JSON text can carry further are refused."""
    try:
        return parse(text, max_bytes=sys.maxsize, max_depth=MAX_INPUT_DEPTH)
    except JsonRefusedError as refused:
        error = refused.__cause__
        if refused.reason == "depth":
            raise _too_deep(what, name) from None
        if not isinstance(error, json.JSONDecodeError):
            message = f"{what} {name} is not JSON: its values {refused.message}"
            raise InputError("not_json", message, source=name) from None
        message = f"{what} {name} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise InputError("not_json", message, next_step=_near(text, error), source=name) from None


def check_depth(value: Any, what: str, name: str) -> None:
    """Raises `InputError` (`too_deep`) for a value that nests deeper than the cap, or contains itself."""
    if _depth(value) > MAX_INPUT_DEPTH:
        raise _too_deep(what, name)


def _too_deep(what: str, name: str) -> InputError:
    return InputError("too_deep", f"{what} {name} nests deeper than {MAX_INPUT_DEPTH} levels", source=name)


def _near(text: str, error: json.JSONDecodeError) -> str:
    """The offending line with a caret; the renderer shows it as it is."""
    lines = text.splitlines() or [""]
    line = lines[min(error.lineno, len(lines)) - 1]
    start = max(0, error.colno - 41)
    shown = line[start : start + 80]
    return f"{shown}\n{' ' * (error.colno - 1 - start)}^"


def _depth(value: Any) -> int:
    """Nesting, found without recursion."""
    deepest, level = 0, [value]
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if any(isinstance(item, (dict, list)) for item in level):
            deepest += 1
        level = inner
        if deepest > MAX_INPUT_DEPTH:
            break
    return deepest
