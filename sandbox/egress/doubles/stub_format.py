"""Stubs as case files write them (docs/testing.md, "Stubbed requests")."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final

from sandbox.egress.doubles.stub import ANY_BODY, Stub, UrlMatch
from sandbox.egress.model import Headers

_URL_KEYS: Final[dict[str, UrlMatch]] = {
    "url": "glob",
    "url_exact": "exact",
    "url_prefix": "prefix",
    "url_regex": "regex",
}
_KEYS: Final = (*_URL_KEYS, "method", "body", "answer", "error", "times")
_ANSWER_KEYS: Final = ("status", "headers", "json", "text", "base64", "delay_ms")
_BODY_KEYS: Final = ("json", "text")


class StubFormatError(ValueError):
    """A stub is not written as it should be. `path` says where, such as `$[0].answer.status`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path
        self.problem = problem


def parse_stubs(data: Any, path: str = "$") -> tuple[Stub, ...]:
    """The stubs in `data`, a list as YAML or JSON gives it. Raises `StubFormatError`."""
    _expect(isinstance(data, list), path, "must be a list of stubs")
    return tuple(_stub(item, f"{path}[{index}]") for index, item in enumerate(data))


def _stub(data: Any, path: str) -> Stub:
    _mapping(data, path, _KEYS)
    url, match = _url(data, path)
    method = data.get("method")
    _expect(method is None or isinstance(method, str), f"{path}.method", "must be a method such as POST")
    _expect("error" not in data or "answer" not in data, path, "has both an answer and an error")
    error, times = data.get("error"), data.get("times")
    _expect(
        error is None or isinstance(error, str), f"{path}.error", "must be an egress rule such as timeout"
    )
    _expect(times is None or _whole(times, 1), f"{path}.times", "must be a whole number from 1")
    text, wanted = _body(data.get("body"), f"{path}.body")
    answer = _mapping(data.get("answer", {}), f"{path}.answer", _ANSWER_KEYS)
    content, kind = _content(answer, f"{path}.answer")
    return Stub(
        url=url,
        match=match,
        method=method,
        text=text,
        json=wanted,
        status=_status(answer, f"{path}.answer"),
        headers=_headers(answer, f"{path}.answer.headers", kind),
        body=content,
        delay_ms=_delay(answer, f"{path}.answer"),
        error=error,
        times=times,
    )


def _url(data: dict[str, Any], path: str) -> tuple[str, UrlMatch]:
    given = [key for key in _URL_KEYS if key in data]
    _expect(len(given) == 1, path, f"needs one of {', '.join(_URL_KEYS)}")
    value = data[given[0]]
    _expect(isinstance(value, str) and value != "", f"{path}.{given[0]}", "must be a text")
    if given[0] == "url_regex":
        try:
            re.compile(value)
        except re.error as error:
            raise StubFormatError(f"{path}.url_regex", f"is not a regular expression ({error})") from error
    return value, _URL_KEYS[given[0]]


def _body(data: Any, path: str) -> tuple[str | None, Any]:
    if data is None:
        return None, ANY_BODY
    _mapping(data, path, _BODY_KEYS)
    _expect(len(data) == 1, path, "needs one of json and text")
    if "json" in data:
        return None, data["json"]
    _expect(isinstance(data["text"], str), f"{path}.text", "must be a text")
    return data["text"], ANY_BODY


def _status(answer: dict[str, Any], path: str) -> int:
    status = answer.get("status", 200)
    _expect(_whole(status, 200) and status <= 599, f"{path}.status", "must be a status from 200 to 599")
    return int(status)


def _delay(answer: dict[str, Any], path: str) -> float:
    delay = answer.get("delay_ms", 0)
    fits = isinstance(delay, int | float) and not isinstance(delay, bool) and 0 <= delay <= 600_000
    _expect(fits, f"{path}.delay_ms", "must be milliseconds from 0 to 600000")
    return float(delay)


def _content(answer: dict[str, Any], path: str) -> tuple[bytes, str | None]:
    """The body and the content type that comes with its form."""
    given = [key for key in ("json", "text", "base64") if key in answer]
    _expect(len(given) <= 1, path, "has more than one of json, text and base64")
    if not given:
        return b"", None
    key, value = given[0], answer[given[0]]
    if key == "json":
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), "application/json"
    _expect(isinstance(value, str), f"{path}.{key}", "must be a text")
    if key == "text":
        return value.encode("utf-8", "replace"), "text/plain;charset=UTF-8"
    try:
        return base64.b64decode(value, validate=True), None
    except (binascii.Error, ValueError) as error:
        raise StubFormatError(f"{path}.base64", "is not base64") from error


def _headers(answer: dict[str, Any], path: str, content_type: str | None) -> Headers:
    data = answer.get("headers", {})
    _expect(isinstance(data, dict), path, "must be a mapping of names to values")
    headers: list[tuple[str, str]] = []
    for name, value in data.items():
        values = value if isinstance(value, list) else [value]
        fits = isinstance(name, str) and all(isinstance(item, str | int | float) for item in values)
        _expect(fits, f"{path}.{name}", "must be a text or a list of texts")
        headers.extend((name.lower(), str(item)) for item in values)
    if content_type is not None and not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", content_type))
    return tuple(headers)


def _mapping(data: Any, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
    _expect(isinstance(data, dict), path, "must be a mapping")
    unknown = next((key for key in data if key not in keys), None)
    _expect(unknown is None, f"{path}.{unknown}", f"is not known; known: {', '.join(keys)}")
    return dict(data)


def _whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _expect(holds: bool, path: str, problem: str) -> None:
    if not holds:
        raise StubFormatError(path, problem)
