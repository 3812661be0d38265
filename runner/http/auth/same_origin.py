"""Requests that a browser sends for somebody else's page, refused where a cookie would let them in.

Browsers say in `Sec-Fetch-Site` whose page a request comes from; those that do not, say it in `Origin` of
every request that may change something.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from runner.http.errors import ApiError

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 section 9.2.1)."""
_PORTS: Final = {"http": 80, "https": 443}


def check_same_origin(request: Request, url: str) -> None:
    """Raises `ApiError` 403 (`cross_site`) for a request of another site's page.

    Args:
        url: of the service, as clients reach it.
    """
    sites, origins = (request.headers.getlist(name) for name in ("sec-fetch-site", "origin"))
    safe = request.method in SAFE
    if sites:
        # "none": whoever uses the browser typed the address, which changes nothing.
        good = sites == ["same-origin"] or (safe and sites == ["none"])
    elif origins or not safe:
        host = request.headers.get("host", "")
        own = {_origin(url), _origin(f"{request.url.scheme}://{host}")} - {""}
        good = len(origins) == 1 and _origin(origins[0]) in own
    else:
        good = True
    if not good:
        raise ApiError(
            403,
            "A page of another site sent this request; only the console's own may.",
            "cross_site",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _origin(url: str) -> str:
    """Scheme, host and port; "" of what has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or not parts.hostname:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"
