"""Request methods and headers: what a guest may set, and what only the host sets."""

from __future__ import annotations

import re
from typing import Final

from sandbox.egress.model import EgressError, Headers

USER_AGENT: Final = "actionbox"
ACCEPTED: Final = "gzip, deflate"
"""What requests ask for. Brotli is left out: its library is no dependency of ours, and a coding that only
some installations take would make runs differ between machines."""

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_VALUE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_NORMALISED: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"})
_REFUSED_METHODS: Final = frozenset({"CONNECT", "TRACE", "TRACK"})

_HOST_ONLY: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "forwarded", "host", "http2-settings",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via",
    }
)  # fmt: skip
"""Framing, hop-by-hop and routing headers. A guest's own are left out silently, as the fetch standard does
with its forbidden headers; `proxy-*` too."""


def check_method(method: str) -> str:
    """The method as it is sent. Raises `EgressError`."""
    if _TOKEN.fullmatch(method) is None or len(method) > 32:
        raise EgressError("method", "The method is not a valid token.")
    upper = method.upper()
    if upper in _REFUSED_METHODS:
        raise EgressError("method", f"The method {upper} is not allowed.")
    return upper if upper in _NORMALISED else method


def check_headers(headers: Headers) -> list[tuple[str, str]]:
    """The headers that are sent, defaults included. Raises `EgressError` for names that are no token and
    values with control characters, which could end the header (threat-model N5)."""
    kept: list[tuple[str, str]] = []
    for name, value in headers:
        if _TOKEN.fullmatch(name) is None:
            raise EgressError("headers", "A header name is not a valid token.")
        stripped = value.strip(" \t\r\n")
        if _BAD_VALUE.search(stripped):
            raise EgressError("headers", f"The header {name} holds characters that HTTP does not carry.")
        lowered = name.lower()
        if lowered not in _HOST_ONLY and not lowered.startswith("proxy-"):
            kept.append((name, stripped))
    named = {name.lower() for name, _ in kept}
    defaults = (("Accept", "*/*"), ("User-Agent", USER_AGENT))
    kept.extend((name, value) for name, value in defaults if name.lower() not in named)
    kept.append(("Accept-Encoding", ACCEPTED))
    return kept
