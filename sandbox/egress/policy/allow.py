"""Allow-lists: which hosts, methods and paths may be requested."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from yarl import URL


_PORT: Final = re.compile(r"(?<!:):[0-9]+$")
"""Not part of an IPv6 address, which stands in brackets."""


@dataclass(frozen=True, slots=True)
class AllowRule:
    """A host that guests may reach.

    Attributes:
        host: exact name, or `*.example.com` for every name below it (not itself).
        methods: allowed methods in upper case; empty for all.
        paths: allowed path prefixes, matched at segment ends (`/v1` allows `/v1` and `/v1/x`, not `/v10`);
            empty for all.
        ports: allowed ports; empty for those that the policy allows anyway.
    """

    host: str
    methods: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    ports: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.host.removeprefix("*.") or "*" in self.host.removeprefix("*."):
            raise ValueError(f"allow-list host {self.host!r} must be a name, or *. and a name")
        if any(not path.startswith("/") for path in self.paths):
            raise ValueError(f"allow-list paths of {self.host} must begin with /")
        if any(method != method.upper() for method in self.methods):
            raise ValueError(f"allow-list methods of {self.host} must be in upper case")

    def permits(self, method: str, url: URL) -> bool:
        """`url` may be requested with `method` under this rule."""
        return (
            self._names(url.raw_host or "")
            and (not self.methods or method in self.methods)
            and (not self.ports or url.port in self.ports)
            and (not self.paths or any(_under(url.raw_path, prefix) for prefix in self.paths))
        )

    def _names(self, host: str) -> bool:
        wanted, name = self.host.lower().rstrip("."), host.rstrip(".")
        return name.endswith(wanted[1:]) if wanted.startswith("*.") else name == wanted


def parse_allow(text: str) -> AllowRule:
    """A rule as people write it: `[METHOD[,METHOD]… ]HOST[:PORT][/PATH]`, such as `api.example.com`,
    `*.example.com:8443` or `GET,HEAD api.example.com/v1`.

    Raises:
        ValueError: it is none, with what is wrong.
    """
    words = text.split()
    if len(words) not in (1, 2):
        raise ValueError(f"allow-list rule {text!r} must be [METHODS ]HOST[:PORT][/PATH]")
    methods = frozenset(words[0].upper().split(",")) if len(words) == 2 else frozenset[str]()
    place, slash, path = words[-1].partition("/")
    host, _, port = place.rpartition(":") if _PORT.search(place) else (place, "", "")
    if "://" in words[-1] or not host:
        raise ValueError(f"allow-list rule {text!r} must name a host, without http:// or https://")
    if "" in methods:
        raise ValueError(f"allow-list rule {text!r} has an empty method")
    ports = frozenset({int(port)}) if port else frozenset[int]()
    if any(not 0 < number < 65_536 for number in ports):
        raise ValueError(f"allow-list rule {text!r} must have a port from 1 to 65535")
    return AllowRule(host.strip("[]").lower(), methods, (slash + path,) if slash else (), ports)


def _under(path: str, prefix: str) -> bool:
    """`path` is at or below `prefix`. A path with encoded slashes is below nothing: servers differ on it."""
    lowered = path.lower()
    if "%2f" in lowered or "%5c" in lowered:
        return False
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")
