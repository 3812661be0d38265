"""The one URL parser of egress. Its result is what is judged and what is connected to.

Spellings are read as the URL standard reads them (hosts as decimal, octal, hex or short IPv4 numbers,
full-width digits, dot segments written `%2e`, backslashes), so that no check sees another host or path than
the server does. Beyond that a path and a query are sent as they were written: signatures depend on it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urljoin

import idna
from yarl import URL

from sandbox.egress.model import EgressError

SCHEMES: Final = ("http", "https")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_REST: Final = re.compile(r"//([^/\\?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL)
_EDGE: Final = "".join(map(chr, range(0x21)))
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_FORBIDDEN_IN_HOST: Final = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
_IPV4_NUMBER: Final = re.compile(r"0x([0-9a-f]{0,40})|(0[0-7]{0,40})|([1-9][0-9]{0,40})")
_SINGLE_DOT: Final = frozenset({".", "%2e"})
_DOUBLE_DOT: Final = frozenset({"..", ".%2e", "%2e.", "%2e%2e"})
_SAFE_PATH: Final = "/%:@!$&'()*+,;=-._~|^[]"
_SAFE_QUERY: Final = _SAFE_PATH + "?`{}\\"
_MAX_HOST: Final = 253


def parse_url(text: str) -> URL:
    """The target that `text` names. Raises `EgressError` (rules `url` and `scheme`)."""
    stripped = text.strip(_EDGE)
    if _CONTROL.search(stripped):
        raise EgressError("url", "The URL holds control characters.")
    match = _SCHEME.match(stripped)
    if match is None:
        raise EgressError("url", "The URL must be absolute, such as https://api.example/path.")
    scheme = match[1].lower()
    if scheme not in SCHEMES:
        raise EgressError("scheme", f"The scheme {scheme[:32]}: is not allowed; use https: or http:.")
    rest = _REST.fullmatch(stripped, match.end())
    if rest is None:
        raise EgressError("url", f"The URL needs two slashes after {scheme}:.")
    authority, path, query = rest[1], rest[2], rest[3]
    if not authority:
        raise EgressError("url", "The URL has no host.")
    if "@" in authority:
        raise EgressError("url", "The URL carries a user name or password; send a header instead.")
    host, port = _split_port(authority)
    suffix = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    return URL.build(
        scheme=scheme,
        authority=_host(host) + suffix,
        path=_path(path),
        query_string=_quote(query or "", _SAFE_QUERY),
        encoded=True,
    )


def join(base: URL, location: str) -> URL:
    """The target of a redirect from `base`. Raises `EgressError`."""
    try:
        return parse_url(urljoin(str(base), location.strip(_EDGE)))
    except ValueError as error:
        raise EgressError("url", "The redirect's location is not a URL.") from error


def origin(url: URL) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what must be equal for credentials to be kept."""
    return url.scheme, url.raw_host, url.port


def _split_port(authority: str) -> tuple[str, int | None]:
    host, colon, digits = authority, "", ""
    if not authority.endswith("]"):
        before, colon, after = authority.rpartition(":")
        host, digits = (before, after) if colon else (authority, "")
    if not colon or not digits:
        return host, None
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise EgressError("url", "The port must be a number from 0 to 65535.")
    return host, int(digits)


def _host(text: str) -> str:
    """The canonical host: a name in ASCII lower case, or an address in its usual form (IPv6 in
    brackets)."""
    if text.startswith("["):
        return _ipv6(text)
    name = _ascii(text)
    # An empty label names nothing, and `0..` would pass for a name where resolvers may read a number.
    empty = ".." in name or not name.strip(".")
    if empty or _FORBIDDEN_IN_HOST.search(name) or len(name) > _MAX_HOST + 1:
        raise EgressError("url", "The URL's host is not a valid name.")
    if _ends_in_number(name):
        return str(parse_ipv4(name))
    return name


def _ipv6(text: str) -> str:
    try:
        if not text.endswith("]") or "%" in text:
            raise ValueError
        return f"[{ipaddress.IPv6Address(text[1:-1])}]"
    except ValueError as error:
        raise EgressError("url", "The URL's host is not a valid IPv6 address.") from error


def _ascii(text: str) -> str:
    """The host name decoded and mapped to ASCII as the URL standard does."""
    if len(text) > 4 * _MAX_HOST:
        raise EgressError("url", "The URL's host is too long.")
    try:
        decoded = unquote_to_bytes(text).decode() if "%" in text else text
        if decoded.isascii():
            return decoded.lower()
        # Names with characters that IDNA leaves out (emoji, `_`) are refused; no lookup knows them.
        return idna.encode(decoded, uts46=True, transitional=False).decode("ascii").lower()
    except (UnicodeError, idna.IDNAError) as error:
        raise EgressError("url", "The URL's host is not a valid name.") from error


def _ends_in_number(name: str) -> bool:
    labels = name.split(".")
    if labels[-1] == "" and len(labels) > 1:
        labels.pop()
    last = labels[-1]
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def parse_ipv4(name: str) -> ipaddress.IPv4Address:
    """The address of an IPv4 number in any spelling: `127.1`, `0x7f.1`, `017700000001`, `2130706433`.
    Raises `EgressError` for one that overflows or is no number."""
    labels = name.split(".")
    if labels[-1] == "" and len(labels) > 1:
        labels.pop()
    numbers = [_number(label) for label in labels]
    if len(numbers) > 4 or any(number > 255 for number in numbers[:-1]):
        raise _bad_ipv4()
    value = numbers[-1]
    if value >= 256 ** (5 - len(numbers)):
        raise _bad_ipv4()
    for index, number in enumerate(numbers[:-1]):
        value += number * 256 ** (3 - index)
    return ipaddress.IPv4Address(value)


def _number(label: str) -> int:
    match = _IPV4_NUMBER.fullmatch(label)
    if match is None:
        raise _bad_ipv4()
    hexadecimal, octal, decimal = match.groups()
    if decimal is not None:
        return int(decimal)
    return int(octal, 8) if octal is not None else int(hexadecimal or "0", 16)


def _bad_ipv4() -> EgressError:
    return EgressError("url", "The URL's host is not a valid IPv4 address.")


def _path(text: str) -> str:
    """The path with dot segments resolved and what may not stand in a request line encoded."""
    kept: list[str] = []
    segments = text.replace("\\", "/").split("/")[1:]
    for index, segment in enumerate(segments):
        lowered = segment.lower()
        last = index == len(segments) - 1
        if lowered in _DOUBLE_DOT:
            del kept[-1:]
        elif lowered not in _SINGLE_DOT:
            kept.append(segment)
            continue
        if last:
            kept.append("")
    return _quote("/" + "/".join(kept), _SAFE_PATH)


def _quote(text: str, safe: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe=safe)
