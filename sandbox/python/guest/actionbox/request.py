"""Requests of `fetch` and `http`: their options as the host reads them (docs/decisions/0004, fetch)."""

import base64
import io
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import wire
from .encoder import encode
from .errors import FetchArgumentError, FetchError, OutputError

MAX_TIMEOUT_SECONDS = 3_600
_FORM = "application/x-www-form-urlencoded"

Body = tuple[Any, str | None]
"""Content, and the content type that the option implies."""


class Options:
    """The keyword options of a request, checked.

    Raises:
        TypeError, ValueError: an option is unknown, or cannot be used.
    """

    __slots__ = ("body", "headers", "params", "redirect", "timeout")

    def __init__(
        self,
        *,
        headers: Any = None,
        params: Any = None,
        body: Any = None,
        content: Any = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        auth: Any = None,
        cookies: Any = None,
        timeout: Any = None,
        redirect: str | None = None,
        allow_redirects: bool | None = None,
        follow_redirects: bool | None = None,
    ) -> None:
        raw = content if body is None else body
        given = (raw is not None, json is not None, data is not None and files is None, files is not None)
        if sum(given) > 1 or (body is not None and content is not None):
            raise TypeError("give only one of body=, json= and data= (files= may go with data=)")
        self.params = params
        self.timeout = None if timeout is None else _milliseconds(timeout)
        self.redirect = _redirect(redirect, allow_redirects, follow_redirects)
        self.headers = header_list(headers)
        if auth is not None:
            self._set("authorization", _basic(auth))
        if cookies is not None:
            self._set("cookie", "; ".join(f"{name}={value}" for name, value in dict(cookies).items()))
        self.body, kind = _content(raw, json, data, files)
        if kind is not None and not self._has("content-type"):
            self.headers.append(["content-type", kind])

    def _has(self, name: str) -> bool:
        return any(known.lower() == name for known, _ in self.headers)

    def _set(self, name: str, value: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0].lower() != name] + [[name, value]]


KEYWORDS = frozenset(Options.__init__.__kwdefaults__ or ())


def request(caller: str, method: object, url: object, options: dict[str, Any]) -> str:
    """JSON of a request.

    Raises:
        FetchArgumentError: an argument cannot be used, in the words of `caller`.
        FetchError: the request is larger than the sandbox sends.
    """
    try:
        return encode(_read(caller, method, url, options))
    except OutputError:
        raise FetchError("the request is larger than the sandbox sends", "too-large") from None
    except (TypeError, ValueError) as error:
        raise FetchArgumentError(str(error)) from None


def _read(caller: str, method: object, url: object, options: dict[str, Any]) -> dict[str, Any]:
    for name in options:
        if name not in KEYWORDS:
            raise TypeError(_unknown(caller, name))
    given = Options(**options)
    return {
        "url": _with_query(str(url), given.params),
        "method": str(method).upper(),
        "headers": given.headers,
        "body": _base64(given.body),
        "timeoutMs": given.timeout,
        "redirect": given.redirect,
    }


_ALWAYS = {
    "verify": "certificates are always verified",
    "proxies": "requests go out through the host's own path",
    "proxy": "requests go out through the host's own path",
    "cert": "client certificates are not supported",
    "stream": "an answer is always received as a whole",
}


def _unknown(caller: str, name: str) -> str:
    reason = _ALWAYS.get(name)
    if reason is not None:
        return f"{caller}() has no option '{name}': {reason}"
    known = ", ".join(sorted(KEYWORDS))
    return f"{caller}() got an unexpected keyword argument '{name}'; it takes {known}"


def header_list(headers: Any) -> list[list[str]]:
    """Names and values, of a mapping or of pairs."""
    if headers is None:
        return []
    pairs: Iterable[tuple[Any, Any]] = headers.items() if hasattr(headers, "items") else headers
    return [[str(name), str(value)] for name, value in pairs]


def _redirect(redirect: str | None, *flags: bool | None) -> str:
    said = [flag for flag in flags if flag is not None]
    if redirect is None:
        return "follow" if all(said) else "manual"
    if said:
        raise TypeError("give only one of redirect=, allow_redirects= and follow_redirects=")
    if redirect not in ("follow", "manual", "error"):
        raise ValueError(f"redirect is 'follow', 'manual' or 'error', not {redirect!r}")
    return redirect


def _basic(auth: Any) -> str:
    if not isinstance(auth, (tuple, list)) or len(auth) != 2:
        raise TypeError("auth is a pair of user name and password; other schemes go into headers=")
    name, password = (part if isinstance(part, bytes) else str(part).encode() for part in auth)
    return "Basic " + base64.b64encode(name + b":" + password).decode()


def _content(raw: Any, json: Any, data: Any, files: Any) -> Body:
    if files is not None:
        return _multipart(data, files)
    if json is not None:
        return encode(json), "application/json"
    if isinstance(data, Mapping) or (isinstance(data, (list, tuple)) and data):
        return urllib.parse.urlencode(data, doseq=True), _FORM
    return (raw if data is None else data), None


def _multipart(data: Any, files: Any) -> Body:
    """`multipart/form-data` (RFC 7578): the fields of `data`, then the files."""
    boundary = "actionbox-" + wire.urandom(16).hex()
    parts = []
    for name, value in _pairs(data or ()):
        parts.append(_part(boundary, name, None, None, value))
    for name, value in _pairs(files):
        if isinstance(value, (tuple, list)):
            filename, content, kind = (*value, None, None)[:3]
        else:
            filename, content, kind = name, value, None
        parts.append(_part(boundary, name, filename, kind or "application/octet-stream", content))
    closing = f"--{boundary}--\r\n".encode()
    return b"".join([*parts, closing]), f"multipart/form-data; boundary={boundary}"


def _pairs(values: Any) -> list[tuple[str, Any]]:
    items = values.items() if hasattr(values, "items") else values
    found: list[tuple[str, Any]] = []
    for name, value in items:
        several = value if isinstance(value, list) else [value]
        found.extend((str(name), one) for one in several)
    return found


def _part(boundary: str, name: str, filename: Any, kind: str | None, content: Any) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
    if filename is not None:
        head += f'; filename="{_quoted(str(filename))}"'
    if kind is not None:
        head += "\r\nContent-Type: " + kind.replace("\r", "").replace("\n", "")
    if isinstance(content, (io.BytesIO, io.StringIO)):
        content = content.read()
    if not isinstance(content, (bytes, bytearray, memoryview)):
        content = str(content).encode("utf-8", "replace")
    return f"{head}\r\n\r\n".encode() + bytes(content) + b"\r\n"


def _quoted(name: str) -> str:
    """As browsers write names in form data."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _with_query(url: str, params: Any) -> str:
    if not params:
        return url
    if isinstance(params, str):
        query = params.lstrip("?")
    else:
        pairs = params.items() if isinstance(params, Mapping) else params
        query = urllib.parse.urlencode([pair for pair in pairs if pair[1] is not None], doseq=True)
    if not query:
        return url
    base, mark, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{query}{mark}{fragment}"


def _base64(body: Any) -> str | None:
    if body is None:
        return None
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if isinstance(body, io.BytesIO):
        body = body.read()
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"a request body is str or bytes, not {type(body).__name__}; use json= for objects")
    return base64.b64encode(body).decode()


def _milliseconds(timeout: Any) -> float:
    """A number of seconds, or a pair of them for connecting and reading as in requests: their sum."""
    parts: Sequence[Any] = timeout if isinstance(timeout, tuple) and len(timeout) == 2 else (timeout,)
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, (int, float)) or not part > 0:
            raise ValueError("timeout is a number of seconds above zero")
    return min(sum(parts), MAX_TIMEOUT_SECONDS) * 1000
