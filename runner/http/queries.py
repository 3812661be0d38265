"""Paths and query parameters as they are written: what a framework reads leniently is refused here."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic.json_schema import SkipJsonSchema

from runner.http.errors import ApiError, bad_request
from runner.http.validation import shown

Absent: typing.TypeAlias = SkipJsonSchema[None]
"""Of a parameter that may be left out: in the API's description it is not null for that."""
Kinds = Mapping[str, str]
"""`integer`, `boolean` or "" by name of the parameter."""
_FORMS: Final = {"integer": re.compile(r"-?[0-9]+"), "boolean": re.compile("true|false")}


def query_kinds(dependant: Dependant) -> Kinds:
    """The query parameters of a route, and those of what it depends on."""
    return dict(_kinds(dependant))


def _kinds(dependant: Dependant) -> Iterator[tuple[str, str]]:
    for param in dependant.query_params:
        yield param.alias, _kind(param.field_info.annotation)
    for item in dependant.dependencies:
        yield from _kinds(item)


def _kind(annotation: Any) -> str:
    options = (
        typing.get_args(annotation)
        if typing.get_origin(annotation) in (typing.Union, types.UnionType)
        else (annotation,)
    )
    return "boolean" if bool in options else "integer" if int in options else ""


def check_path(request: Request) -> None:
    """Raises `ApiError` 404 for a slash that is written as `%2F`: it would end a part of the path that it is
    inside of (threat-model P6)."""
    if b"%2f" in request.scope.get("raw_path", b"").lower():
        raise ApiError(404, "There is no such path.")


def check_query(request: Request, kinds: Kinds) -> None:
    """Raises `ApiError` 400 for a parameter that the route does not know, that is given twice, or whose value
    is written otherwise than the reference has it."""
    raw = request.scope["query_string"]
    if not raw:
        return
    try:
        unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused("it is not UTF-8.") from None
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in kinds:
            allowed = f" Known here: {', '.join(sorted(kinds))}." if kinds else ""
            raise _refused(f"'Additional properties not allowed: {shown(name)}'.{allowed}")
        if name in seen:
            raise _refused(f"{shown(name)} is given twice.")
        if "\0" in value:
            raise _refused(f"{shown(name)} holds a NUL character.")
        kind = kinds[name]
        if kind and not _FORMS[kind].fullmatch(value):
            raise _refused(f"'Expected type {kind} but found type string' at $.{name}.")
        seen.add(name)


def _refused(why: str) -> ApiError:
    return bad_request(f"Query validation error: {why}", "invalid_query_string")
