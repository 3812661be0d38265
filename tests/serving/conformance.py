"""Whether an answer is one that the API's own description allows.

Every answer that a test of the service gets goes through here (`tests.serving.server.Client.call`), so that
all of them test the description too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from tools.openapi import whole

_UNDECLARED = (405,)
"""For any path, by the router."""
_seen: list[set[tuple[str, int]]] = []


@contextmanager
def seen() -> Iterator[set[tuple[str, int]]]:
    """Operations and statuses of the answers that are checked in the block."""
    found: set[tuple[str, int]] = set()
    _seen.append(found)
    try:
        yield found
    finally:
        _seen.remove(found)


@cache
def document() -> dict[str, Any]:
    """The description of both APIs."""
    return whole()


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Those without parameters first, as the router has them."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


def operation_of(method: str, url: str) -> str:
    """`GET /api/v2/actions/actions/{action_id}`, or "" for what is no operation."""
    path = urlsplit(url).path
    found = next((name for pattern, name in _paths() if pattern.fullmatch(path)), None)
    if found is None or method.lower() not in document()["paths"][found]:
        return ""
    return f"{method} {found}"


@cache
def _response(operation: str, status: int) -> dict[str, Any] | None:
    method, path = operation.split(" ")
    found = document()["paths"][path][method.lower()]["responses"].get(str(status))
    while found is not None and "$ref" in found:
        found = document()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return found


@cache
def _validator(operation: str, status: int) -> Any:
    response = _response(operation, status)
    assert response is not None
    (content,) = response["content"].values()
    schema = {**content["schema"], "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def successes() -> set[tuple[str, int]]:
    """Operations and statuses below 300 that the description has."""
    return {
        (f"{method.upper()} {path}", int(status))
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        for status in operation["responses"]
        if int(status) < 300
    }


def check_answer(method: str, url: str, status: int, headers: Mapping[str, str], value: Any) -> None:
    """Fails when the description knows the operation and does not allow this answer of it.

    Args:
        value: the JSON; None for an empty body.
    """
    operation = operation_of(method, url)
    if not operation or status in _UNDECLARED:
        return
    for found in _seen:
        found.add((operation, status))
    response = _response(operation, status)
    assert response is not None, f"{operation} answered {status}, which is not described: {value}"
    missing = [name for name in response.get("headers", {}) if name not in headers]
    assert not missing, f"{operation} answered {status} without {missing}"
    if "content" not in response:
        assert value is None, f"{operation} answered {status} with a body"
        return
    kind = headers["Content-Type"].partition(";")[0]
    assert kind in response["content"], f"{operation} answered {status} as {kind}"
    try:
        _validator(operation, status).validate(value)
    except jsonschema_rs.ValidationError as error:
        raise AssertionError(f"{operation} answered {status} in another form: {error}") from None
