"""HTTP for Actions: `await fetch(...)` and the blocking `http.get(...)`, both through the host."""

import asyncio
import base64
import json as json_module
import urllib.parse
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from . import loop
from .encoder import encode
from .errors import HTTPStatusError, fetch_error

MAX_TIMEOUT_SECONDS = 3_600


class Headers(dict):
    """Response headers: names in lower case, looked up in any case."""

    def __getitem__(self, name: str) -> str:
        return dict.__getitem__(self, name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and dict.__contains__(self, name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return dict.get(self, name.lower(), default)

    def add(self, name: str, value: str) -> None:
        """Repeated headers are joined, as HTTP says they may be."""
        key = name.lower()
        known = dict.get(self, key)
        self[key] = value if known is None else f"{known}, {value}"


class _Awaitable:
    """Lets `await response.json()` give the same value as `response.json()`: both are common in Python."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self
        yield


class Text(_Awaitable, str):
    """Response text; it may be called, since JavaScript's `text()` is a method."""

    __slots__ = ()

    def __call__(self) -> "Text":
        return self


class Bytes(_Awaitable, bytes):
    """Response bytes."""


class JsonObject(_Awaitable, dict):
    """A JSON object of a response."""


class JsonArray(_Awaitable, list):
    """A JSON array of a response."""


_AWAITABLE = {dict: JsonObject, list: JsonArray, str: Text}
_CHARSETS = frozenset(("utf-8", "utf8", "latin-1", "iso-8859-1", "us-ascii", "ascii", "utf-16"))


class Response:
    """An HTTP answer, wholly received.

    Attributes:
        status: also `status_code`.
        status_text: also `reason`.
        headers: names in any case.
        content: the body as bytes.
        url: of the last hop.
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status = self.status_code = answer["status"]
        self.status_text = self.reason = answer.get("statusText") or ""
        self.url = answer.get("url") or ""
        self.redirected = bool(answer.get("redirected"))
        self.content = base64.b64decode(answer.get("body") or "")
        self.headers = Headers()
        for name, value in answer.get("headers") or ():
            self.headers.add(name, value)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> Text:
        """The body as text; `response.text` and `response.text()` are the same."""
        return Text(self.content.decode(self._charset(), "replace"))

    def json(self) -> Any:
        """The body as JSON. Raises `json.JSONDecodeError`, which is a ValueError."""
        value = json_module.loads(self.content)
        kind = _AWAITABLE.get(type(value))
        return value if kind is None else kind(value)

    def bytes(self) -> Bytes:
        return Bytes(self.content)

    def raise_for_status(self) -> "Response":
        """Raise `HTTPStatusError` when the status is 400 or more; else the response itself."""
        if self.status >= 400:
            raise HTTPStatusError(f"HTTP {self.status} {self.status_text} for {self.url}".strip(), self)
        return self

    def _charset(self) -> str:
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            charset = value.strip().strip('"').lower()
            if name.strip().lower() == "charset" and charset in _CHARSETS:
                return charset
        return "utf-8"

    def __repr__(self) -> str:
        return f"<Response [{self.status}]>"


def fetch(url: object, *, method: str = "GET", **options: Any) -> asyncio.Future[Response]:
    """Start a request at once; an awaitable `Response`.

    Options: headers, params, body, json, data, timeout (seconds), redirect (`follow`, `manual`, `error`).

    Raises:
        FetchError: when awaited: refused, or broken.
        TypeError: an option is unknown or of the wrong type.
    """
    return loop.current().start("fetch", _request(method, url, **options), _response)


class Http:
    """Blocking HTTP: `http.get(url)`. In an async handler, `await fetch(url)` lets others run meanwhile."""

    __slots__ = ()

    def request(self, method: str, url: object, **options: Any) -> Response:
        """The `Response` of one request. Options as for `fetch`."""
        return _response(loop.current().wait_for_answer("fetch", _request(method, url, **options)))

    def get(self, url: object, **options: Any) -> Response:
        return self.request("GET", url, **options)

    def post(self, url: object, **options: Any) -> Response:
        return self.request("POST", url, **options)

    def put(self, url: object, **options: Any) -> Response:
        return self.request("PUT", url, **options)

    def patch(self, url: object, **options: Any) -> Response:
        return self.request("PATCH", url, **options)

    def delete(self, url: object, **options: Any) -> Response:
        return self.request("DELETE", url, **options)

    def head(self, url: object, **options: Any) -> Response:
        return self.request("HEAD", url, **options)


def _response(answer: dict[str, Any]) -> Response:
    error = answer.get("error")
    if error is not None:
        raise fetch_error(error)
    return Response(answer["ok"])


def _request(
    method: str,
    url: object,
    *,
    headers: Any = None,
    params: Any = None,
    body: Any = None,
    json: Any = None,
    data: Any = None,
    timeout: float | None = None,
    redirect: str | None = None,
) -> str:
    """The request as the host reads it (JSON)."""
    if sum(part is not None for part in (body, json, data)) > 1:
        raise TypeError("give only one of body=, json= and data=")
    fields = _header_list(headers)
    content, kind = _content(body, json, data)
    if kind is not None and all(name.lower() != "content-type" for name, _ in fields):
        fields.append(["content-type", kind])
    request = {
        "url": _with_query(str(url), params),
        "method": str(method).upper(),
        "headers": fields,
        "body": _base64(content),
        "timeoutMs": None if timeout is None else _milliseconds(timeout),
        "redirect": "follow" if redirect is None else str(redirect),
    }
    return encode(request)


def _content(body: Any, json: Any, data: Any) -> tuple[Any, str | None]:
    """The body, and the content type that its keyword implies."""
    if json is not None:
        return encode(json), "application/json"
    if isinstance(data, Mapping):
        return urllib.parse.urlencode(data, doseq=True), "application/x-www-form-urlencoded"
    return (body if data is None else data), None


def _header_list(headers: Any) -> list[list[str]]:
    if headers is None:
        return []
    pairs: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers
    return [[str(name), str(value)] for name, value in pairs]


def _with_query(url: str, params: Any) -> str:
    if not params:
        return url
    base, mark, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urllib.parse.urlencode(params, doseq=True)}{mark}{fragment}"


def _base64(body: Any) -> str | None:
    if body is None:
        return None
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"a request body is str or bytes, not {type(body).__name__}; use json= for objects")
    return base64.b64encode(body).decode()


def _milliseconds(timeout: object) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError("timeout is a number of seconds above zero")
    return min(timeout, MAX_TIMEOUT_SECONDS) * 1000
