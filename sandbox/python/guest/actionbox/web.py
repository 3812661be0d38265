"""HTTP for Actions: `await fetch(...)` and the blocking `http.get(...)`, both through the host."""

import base64
import json as _json
import urllib.parse

from . import loop
from .encoder import encode
from .errors import HTTPStatusError, fetch_error


class Headers(dict):
    """Response headers: names in lower case, looked up in any case."""

    def __getitem__(self, name):
        return dict.__getitem__(self, name.lower())

    def __contains__(self, name):
        return dict.__contains__(self, name.lower())

    def get(self, name, default=None):
        return dict.get(self, name.lower(), default)


class Response:
    """An HTTP answer, wholly received.

    `text` and `json` work as methods and, `text` and `content` also, as attributes, since tenants know both
    forms: `response.text()`, `response.text`, `response.json()`, `await response.json()`.
    """

    def __init__(self, answer):
        self.status = self.status_code = answer["status"]
        self.status_text = self.reason = answer.get("statusText") or ""
        self.url = answer.get("url") or ""
        self.redirected = bool(answer.get("redirected"))
        self.content = base64.b64decode(answer.get("body") or "")
        self.headers = Headers()
        for name, value in answer.get("headers") or ():
            key = name.lower()
            known = dict.get(self.headers, key)
            self.headers[key] = value if known is None else f"{known}, {value}"

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def text(self):
        return Text(self.content.decode(self._charset(), "replace"))

    def json(self):
        return Answer.of(_json.loads(self.content))

    def bytes(self):
        return AwaitableBytes(self.content)

    def raise_for_status(self):
        """Raise `HTTPStatusError` when the status is 400 or more; else the response itself."""
        if self.status >= 400:
            raise HTTPStatusError(f"HTTP {self.status} {self.status_text} for {self.url}".strip(), self)
        return self

    def _charset(self):
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"').lower()
                return charset if charset in _CHARSETS else "utf-8"
        return "utf-8"

    def __repr__(self):
        return f"<Response [{self.status}]>"


_CHARSETS = {"utf-8", "utf8", "latin-1", "iso-8859-1", "us-ascii", "ascii", "utf-16"}


class _Awaitable:
    """Mixed into answers so that both `response.json()` and `await response.json()` give the value."""

    def __await__(self):
        return self
        yield


class Text(_Awaitable, str):
    """Response text; may be called, since JavaScript's `text()` is a method."""

    def __call__(self):
        return self


class AwaitableBytes(_Awaitable, bytes):
    """Response bytes."""


class AwaitableDict(_Awaitable, dict):
    """A JSON object."""


class AwaitableList(_Awaitable, list):
    """A JSON array."""


class Answer:
    """Makes a JSON value awaitable where its type allows."""

    @staticmethod
    def of(value):
        if type(value) is dict:
            return AwaitableDict(value)
        if type(value) is list:
            return AwaitableList(value)
        return Text(value) if type(value) is str else value


def request_json(
    method, url, *, headers=None, params=None, body=None, json=None, data=None, timeout=None, redirect=None
):
    """The request as the host reads it.

    Args:
        params: appended to the URL's query.
        body, json, data: at most one; `json` and a dict as `data` set the content type.
        timeout: seconds.
    """
    if sum(part is not None for part in (body, json, data)) > 1:
        raise TypeError("give only one of body=, json= and data=")
    fields = _header_list(headers)
    if json is not None:
        body = encode(json)
        _default(fields, "content-type", "application/json")
    elif isinstance(data, dict):
        body = urllib.parse.urlencode(data, doseq=True)
        _default(fields, "content-type", "application/x-www-form-urlencoded")
    elif data is not None:
        body = data
    return encode(
        {
            "url": _with_query(str(url), params),
            "method": str(method).upper(),
            "headers": fields,
            "body": _base64(body),
            "timeoutMs": None if timeout is None else _milliseconds(timeout),
            "redirect": "follow" if redirect is None else str(redirect),
        }
    )


def _header_list(headers):
    pairs = () if headers is None else headers.items() if hasattr(headers, "items") else headers
    return [[str(name), str(value)] for name, value in pairs]


def _default(fields, name, value):
    if all(field[0].lower() != name for field in fields):
        fields.append([name, value])


def _with_query(url, params):
    if not params:
        return url
    base, hash_mark, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urllib.parse.urlencode(params, doseq=True)}{hash_mark}{fragment}"


def _base64(body):
    if body is None:
        return None
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"a request body is str or bytes, not {type(body).__name__}; use json= for objects")
    return base64.b64encode(body).decode()


def _milliseconds(timeout):
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout > 0:
        raise ValueError("timeout is a number of seconds above zero")
    return min(timeout * 1000, 3_600_000)


def _response(answer):
    error = answer.get("error")
    if error is not None:
        raise fetch_error(error)
    return Response(answer["ok"])


def fetch(url, *, method="GET", **options):
    """Start a request at once; an awaitable `Response`.

    Options: headers, params, body, json, data, timeout (seconds), redirect ("follow", "manual", "error").
    """
    return loop.current().start("fetch", request_json(method, url, **options), _response)


class Http:
    """Blocking HTTP: `http.get(url)`. In an async handler, `await fetch(url)` lets others run meanwhile."""

    __slots__ = ()

    def request(self, method, url, **options):
        """The `Response` of one request. Options as for `fetch`."""
        text = request_json(method, url, **options)
        return _response(loop.current().settle_blocking("fetch", text))

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)

    def put(self, url, **options):
        return self.request("PUT", url, **options)

    def patch(self, url, **options):
        return self.request("PATCH", url, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **options)
