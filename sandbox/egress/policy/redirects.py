"""Redirects as the fetch standard has them; every hop is judged anew by the policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from yarl import URL

from sandbox.core import caps
from sandbox.egress.model import EgressError, FetchRequest, Headers, Redirect
from sandbox.egress.policy.headers import check_headers, check_method
from sandbox.egress.policy.url import join, origin, parse_url

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS: Final = frozenset({"authorization", "cookie"})
_BODY_HEADERS: Final = frozenset(
    {"content-encoding", "content-language", "content-location", "content-type", "content-length"}
)


@dataclass(frozen=True, slots=True)
class Hop:
    """One request that goes out."""

    method: str
    url: URL
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    redirect: Redirect
    number: int = 0

    @property
    def redirected(self) -> bool:
        return self.number > 0


_ARGUMENTS: Final = frozenset(("url", "method", "headers"))
"""Rules about what the caller wrote, which is wrong wherever it would go."""


def first_hop(request: FetchRequest) -> Hop:
    """The request as it is sent first. Raises `EgressError` when URL, method or headers do not stand."""
    try:
        url, method = parse_url(request.url), check_method(request.method)
        headers = tuple(check_headers(request.headers))
    except EgressError as error:
        error.argument = error.rule in _ARGUMENTS
        raise
    return Hop(method, url, headers, request.body, request.redirect)


def next_hop(hop: Hop, status: int, headers: Headers) -> Hop | None:
    """The next hop of a redirect that answers `hop`; None when it is no redirect. Raises `EgressError`."""
    location = next((value for name, value in headers if name.lower() == "location"), None)
    if status not in _REDIRECTS or location is None or hop.redirect == "manual":
        return None
    if hop.redirect == "error":
        raise EgressError("redirects", "The answer is a redirect, which the request does not allow.")
    if hop.number >= caps.MAX_FETCH_REDIRECTS:
        raise EgressError(
            "redirects", f"The request was redirected more than {caps.MAX_FETCH_REDIRECTS} times."
        )
    target = join(hop.url, location)
    following = replace(hop, url=target, number=hop.number + 1)
    if (status in (301, 302) and hop.method == "POST") or (
        status == 303 and hop.method not in ("GET", "HEAD")
    ):
        following = replace(following, method="GET", body=None, headers=_without(hop.headers, _BODY_HEADERS))
    if origin(target) != origin(hop.url):
        following = replace(following, headers=_without(following.headers, _CREDENTIALS))
    return following


def _without(headers: tuple[tuple[str, str], ...], names: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0].lower() not in names)
