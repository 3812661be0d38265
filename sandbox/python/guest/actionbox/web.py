"""HTTP for Actions: `await fetch(...)` and the blocking `http.get(...)`, both through the host."""

import asyncio
import base64
import json as json_module
from collections.abc import Generator, Iterator
from typing import Any

from . import loop
from .errors import HTTPStatusError, fetch_error
from .request import request


class Headers(dict):
    """Response headers: names in lower case, looked up in any case."""

    def __init__(self) -> None:
        super().__init__()
        self._all: dict[str, list[str]] = {}

    def __getitem__(self, name: str) -> str:
        return dict.__getitem__(self, name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and dict.__contains__(self, name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return dict.get(self, name.lower(), default)

    def add(self, name: str, value: str) -> None:
        """Repeated headers are joined, as HTTP says they may be."""
        key = name.lower()
        known = self._all.setdefault(key, [])
        known.append(value)
        self[key] = ", ".join(known)

    def get_list(self, name: str) -> list[str]:
        """Every value of a header by itself; cookies can only be read so."""
        return list(self._all.get(name.lower(), ()))


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


_AWAITABLE: dict[type, Any] = {dict: JsonObject, list: JsonArray, str: Text}
_CHARSETS = frozenset(("utf-8", "utf8", "latin-1", "iso-8859-1", "us-ascii", "ascii", "utf-16"))


class Response:
    """An HTTP answer, wholly received.

    Attributes:
        status: also `status_code`.
        status_text: also `reason` and `reason_phrase`.
        headers: names in any case.
        content: the body as bytes.
        url: of the last hop.
    """

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status = self.status_code = answer["status"]
        self.status_text = self.reason = self.reason_phrase = answer.get("statusText") or ""
        self.url = answer.get("url") or ""
        self.redirected = bool(answer.get("redirected"))
        self.content = base64.b64decode(answer.get("body") or "")
        self.headers = Headers()
        for name, value in answer.get("headers") or ():
            self.headers.add(name, value)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    is_success = ok

    @property
    def is_redirect(self) -> bool:
        return self.status in (301, 302, 303, 307, 308) and "location" in self.headers

    @property
    def is_error(self) -> bool:
        return self.status >= 400

    @property
    def encoding(self) -> str:
        """The charset with which `text` reads the body."""
        return self._charset()

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

    def iter_lines(self) -> Iterator[str]:
        """The lines of the body, without their ends."""
        return iter(self.text.splitlines())

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

    Options: headers, params, json, data, files, body (or content), auth, cookies, timeout (seconds), and
    redirect (`follow`, `manual`, `error`) or allow_redirects or follow_redirects.

    Raises:
        FetchError: when awaited: refused, or broken.
        FetchArgumentError: an argument cannot be used; when awaited, where the host is the one to tell.
    """
    return loop.current().start("fetch", request("fetch", method, url, options), _response)


class Http:
    """Blocking HTTP: `http.get(url)`. In an async handler, `await fetch(url)` lets others run meanwhile."""

    __slots__ = ()

    def request(self, method: str, url: object, **options: Any) -> Response:
        """The `Response` of one request. Options as for `fetch`."""
        text = request(f"http.{str(method).lower()}", method, url, options)
        return _response(loop.current().wait_for_answer("fetch", text))

    def get(self, url: object, params: Any = None, **options: Any) -> Response:
        return self.request("GET", url, params=params, **options)

    def post(self, url: object, data: Any = None, json: Any = None, **options: Any) -> Response:
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: object, data: Any = None, **options: Any) -> Response:
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: object, data: Any = None, **options: Any) -> Response:
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url: object, **options: Any) -> Response:
        return self.request("DELETE", url, **options)

    def head(self, url: object, **options: Any) -> Response:
        return self.request("HEAD", url, **options)

    def options(self, url: object, **options: Any) -> Response:
        return self.request("OPTIONS", url, **options)


def _response(answer: dict[str, Any]) -> Response:
    error = answer.get("error")
    if error is not None:
        raise fetch_error(error)
    return Response(answer["ok"])
