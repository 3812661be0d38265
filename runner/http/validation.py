"""Errors of schemas, as one sentence with the property that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_SUBJECTS: Final = {
    "body": ("Payload", "invalid_body"),
    "query": ("Query", "invalid_query_string"),
    "path": ("Path", "invalid_uri"),
    "header": ("Header", "invalid_header"),
}
_KINDS: Final = {
    "string_type": "string",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "list_type": "array",
    "tuple_type": "array",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_MAX_SHOWN: Final = 80


def first_problem(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Message and error code for what FastAPI found; the first problem speaks for all."""
    error = errors[0]
    where, *path = error["loc"]
    subject, code = _SUBJECTS.get(str(where), _SUBJECTS["body"])
    return f"{subject} validation error: {_sentence(error, path)}", code


def json_path(path: Sequence[int | str]) -> str:
    """`$.secrets[0].name`."""
    text = "$"
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    return text


def shown(text: object) -> str:
    """A name or value of the client's, fit for a message."""
    printable = "".join(char if char.isprintable() else "�" for char in str(text)[: _MAX_SHOWN + 1])
    return printable if len(printable) <= _MAX_SHOWN else printable[: _MAX_SHOWN - 1] + "…"


def _sentence(error: Mapping[str, Any], path: Sequence[int | str]) -> str:
    kind = error["type"]
    place = json_path(path)
    if kind == "missing":
        if not path:
            return "a JSON body is required."
        return f"'Missing required property: {shown(path[-1])}' at {place}."
    if kind == "extra_forbidden":
        return f"'Additional properties not allowed: {shown(path[-1])}' at {place}."
    if kind in _KINDS:
        found = _found(error.get("input"))
        return f"'Expected type {_KINDS[kind]} but found type {found}' at {place}."
    return f"'{_own_words(error)}' at {place}."


def _own_words(error: Mapping[str, Any]) -> str:
    reason = (error.get("ctx") or {}).get("error")
    text = str(reason) if error["type"] == "value_error" and reason is not None else str(error["msg"])
    return text.rstrip(".")


def _found(value: Any) -> str:
    for kind, name in (
        (bool, "boolean"),
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (dict, "object"),
        (list, "array"),
    ):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "unknown"
