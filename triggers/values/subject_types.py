"""Types of subject tokens that a tenant may claim (reference/trigger-custom-token-exchange.md)."""

from __future__ import annotations

import re
from typing import Final

from triggers.values.urls import UrlError, with_query

_URN: Final = re.compile(r"urn:([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):(.+)", re.IGNORECASE)
"""RFC 8141."""
_CHARACTERS: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
"""RFC 3986."""
_HOST: Final = re.compile(r"https://(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)")
_RESERVED_HOSTS: Final = ("auth0.com", "okta.com")
_RESERVED_NAMESPACES: Final = frozenset({"ietf", "auth0", "okta"})


def check_subject_token_type(text: str) -> None:
    """Raises `ValueError` unless `text` is a URI of the tenant's own: `https://…` or `urn:…`, and not under
    auth0.com, okta.com, `urn:ietf`, `urn:auth0` or `urn:okta`."""
    if _CHARACTERS.fullmatch(text) is None:
        raise ValueError("it must be a URI (RFC 3986)")
    urn = _URN.fullmatch(text)
    if urn is not None:
        if urn[1].lower() in _RESERVED_NAMESPACES:
            raise ValueError(f"urn:{urn[1].lower()} is reserved")
        return
    if not text.lower().startswith("https://"):
        raise ValueError("it must start with https:// or urn:, and name something of your own")
    try:
        match = _HOST.match(with_query(text, {}))
    except UrlError as error:
        raise ValueError(f"it {error}") from None
    host = "" if match is None else match[1].rstrip(".")
    if any(host == name or host.endswith(f".{name}") for name in _RESERVED_HOSTS):
        raise ValueError(f"{host} is reserved")
