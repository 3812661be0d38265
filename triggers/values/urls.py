"""Absolute URLs as browsers read them, as far as a redirect needs it (WHATWG URL, a subset)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote

_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
"""Of the schemes that the standard calls special."""
_EXECUTING: Final = {"javascript", "data", "vbscript", "blob", "file", "filesystem", "about", "view-source"}
"""Schemes that run or read something in the browser instead of leading somewhere."""
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(?://)([^/]*)(.*)", re.DOTALL)
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[^\x00-\x20#%/:<>?@\[\\\]^|\x7f]+")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_STRIPPED: Final = "".join(map(chr, range(33)))
_KEPT: Final = "!$%&'()*+,-./:;=@[]_|~"
"""Characters that stay as they are in a path, besides letters and digits."""


class UrlError(ValueError):
    """A text is not an absolute URL that a user can be sent to; the message says why."""


def with_query(url: str, query: Mapping[str, str]) -> str:
    """The URL in its normal form with each entry of `query` set, in place of entries of the same name.

    Raises:
        UrlError: not absolute, malformed, or of a scheme that executes something.
    """
    base, search, fragment = _split(url)
    if query:
        kept = [item for item in parse_qsl(search, keep_blank_values=True) if item[0] not in query]
        search = "&".join(f"{_form(key)}={_form(value)}" for key, value in [*kept, *query.items()])
    return base + (f"?{search}" if search else "") + fragment


def _split(url: str) -> tuple[str, str, str]:
    text = re.sub(r"[\t\n\r]", "", url.strip(_STRIPPED))
    match = _PARTS.fullmatch(text)
    if match is None:
        raise UrlError("must be an absolute URL, with a scheme such as https:")
    scheme = match[1].lower()
    if scheme in _EXECUTING:
        raise UrlError(f"must not be a {scheme}: URL")
    rest = match[2].replace("\\", "/") if scheme in _DEFAULT_PORTS else match[2]
    search, fragment = (match[3] or "")[1:], match[4] or ""
    base = f"{scheme}:{_place(scheme, rest)}"
    return base, quote(search, safe=_KEPT + "?"), quote(fragment, safe=_KEPT + "?#")


def _place(scheme: str, rest: str) -> str:
    if scheme in _DEFAULT_PORTS:
        rest = "//" + rest.lstrip("/")
    match = _AUTHORITY.fullmatch(rest)
    if match is None:
        return quote(rest, safe=_KEPT)
    path = quote(match[2], safe=_KEPT)
    if scheme not in _DEFAULT_PORTS and not match[1]:
        return f"//{path}"
    return f"//{_authority(scheme, match[1])}{path or ('/' if scheme in _DEFAULT_PORTS else '')}"


def _authority(scheme: str, text: str) -> str:
    credentials, at, place = text.rpartition("@")
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(.*))?", place, re.DOTALL)
    if match is None or not match[1]:
        raise UrlError("must name a host")
    host = _host(match[1])
    port = match[2] or ""
    if port and (_PORT.fullmatch(port) is None or int(port) > 65535):
        raise UrlError("has a port that is not a number up to 65535")
    shown = f":{int(port)}" if port and _DEFAULT_PORTS.get(scheme) != int(port) else ""
    return f"{quote(credentials, safe=':%')}{at}{host}{shown}"


def _host(text: str) -> str:
    host = unquote(text)
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise UrlError("has a host name that is not valid") from None
    if _HOST.fullmatch(host) is None:
        raise UrlError("has a host name that is not valid")
    return host.lower()


def _form(text: str) -> str:
    """application/x-www-form-urlencoded, as URLSearchParams writes it."""
    return quote_plus(text, safe="*").replace("~", "%7E")
