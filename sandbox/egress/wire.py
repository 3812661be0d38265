"""The JSON forms of requests and answers as guests send and receive them (docs/decisions/0004)."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import Any, Final

from sandbox.core import caps
from sandbox.core.json_text import JsonRefusedError, encode, parse, utf8_length
from sandbox.core.program import JsonValue
from sandbox.egress.model import EgressError, FetchRequest, Headers, Outcome, Redirect

MAX_REQUEST_JSON_BYTES: Final = (
    caps.MAX_FETCH_REQUEST_BODY_BYTES * 4 // 3
    + 4 * (caps.MAX_FETCH_URL_BYTES + caps.MAX_FETCH_HEADER_BYTES)
    + 4 * caps.KIB
)
"""Room for the largest request that passes the caps, escapes included."""

_REDIRECTS: Final[tuple[Redirect, ...]] = ("follow", "manual", "error")


def read_request(text: str) -> FetchRequest:
    """The request in `text`. Raises `EgressError` when it does not fit or passes a cap."""
    try:
        data = parse(text, max_bytes=MAX_REQUEST_JSON_BYTES)
    except JsonRefusedError as error:
        if error.reason == "size":
            raise EgressError("too-large", "the request is larger than the sandbox sends") from error
        raise EgressError("url", "the request is not a fetch request") from error
    if not isinstance(data, dict) or not isinstance(data.get("url"), str):
        raise EgressError("url", "the request needs a URL")
    return FetchRequest(
        url=_url(data["url"]),
        method=_method(data.get("method")),
        headers=_headers(data.get("headers")),
        body=_body(data.get("body")),
        timeout_ms=_timeout(data.get("timeoutMs")),
        redirect=_redirect(data.get("redirect")),
    )


def answer(handle: int, outcome: Outcome) -> str:
    """The text that `wait_any` gives the guest for a settled fetch."""
    if isinstance(outcome, EgressError):
        return error_answer(handle, outcome)
    response: dict[str, JsonValue] = {
        "status": outcome.status,
        "statusText": outcome.status_text,
        "url": outcome.url,
        "redirected": outcome.redirected,
        "headers": [list(pair) for pair in outcome.headers],
        "body": base64.b64encode(outcome.body).decode("ascii"),
    }
    return encode({"id": handle, "ok": response})


def error_answer(handle: int, error: EgressError) -> str:
    """The same for a refusal. Fetch reports all of them as `TypeError`."""
    reason: dict[str, JsonValue] = {
        "name": "TypeError",
        "message": error.message,
        "code": "egress",
        "rule": error.rule,
    }
    if error.system:
        reason["system"] = error.system
    if error.argument:
        reason["argument"] = True
    return encode({"id": handle, "error": reason})


NO_MORE: Final = 0
"""In place of a handle: the execution may start no more operations."""
NO_MORE_ANSWER: Final = error_answer(
    NO_MORE, EgressError("limit", f"an execution may make {caps.MAX_FETCHES} requests")
)
"""What the guest is told then, at once: each wait names all that is waited for, so that ten thousand refusals
to wait for take seconds."""

_HANDLE: Final = re.compile(r'\{"id":(\d+),')


def handle_of(text: str) -> int:
    """The handle that an answer is for; the rest of it, which can be long, is not read."""
    found = _HANDLE.match(text)
    return int(found[1]) if found else int(json.loads(text)["id"])


def read_error(reason: dict[str, Any]) -> EgressError:
    """The refusal that `error_answer` wrote, in `error`."""
    system, argument = str(reason.get("system") or ""), bool(reason.get("argument"))
    return EgressError(reason["rule"], reason["message"], system, argument=argument)


def _url(value: str) -> str:
    if utf8_length(value) > caps.MAX_FETCH_URL_BYTES:
        raise EgressError("url", f"the URL is longer than {caps.MAX_FETCH_URL_BYTES} bytes")
    return value


def _method(value: Any) -> str:
    if value is None:
        return "GET"
    if not isinstance(value, str) or not value or len(value) > 64:
        raise EgressError("method", "the method must be a short text such as GET", argument=True)
    return value


def _headers(value: Any) -> Headers:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(_is_pair(item) for item in value):
        raise EgressError("headers", "headers must be pairs of a name and a value")
    if len(value) > caps.MAX_FETCH_HEADERS:
        raise EgressError("headers", f"more than {caps.MAX_FETCH_HEADERS} headers")
    size = sum(utf8_length(name) + utf8_length(text) for name, text in value)
    if size > caps.MAX_FETCH_HEADER_BYTES:
        raise EgressError("headers", f"headers take more than {caps.MAX_FETCH_HEADER_BYTES} bytes")
    return tuple((name, text) for name, text in value)


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item)


def _body(value: Any) -> bytes | None:
    if value is None:
        return None
    try:
        body = base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise EgressError("url", "the body must be base64 text") from error
    if len(body) > caps.MAX_FETCH_REQUEST_BODY_BYTES:
        raise EgressError("too-large", f"the body is over {caps.MAX_FETCH_REQUEST_BODY_BYTES} bytes")
    return body


def _timeout(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise EgressError("timeout", "the timeout must be a number of milliseconds from 0")
    return float(value)


def _redirect(value: Any) -> Redirect:
    for known in _REDIRECTS:
        if value == known:
            return known
    if value is None:
        return "follow"
    raise EgressError("redirects", f"redirect must be one of {', '.join(_REDIRECTS)}")
