"""The operator's policy for requests of guests: immutable settings, and the checks that read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yarl import URL

from sandbox.core import caps
from sandbox.egress.model import EgressError
from sandbox.egress.policy.addresses import Address, parse_address, refusal
from sandbox.egress.policy.allow import AllowRule
from sandbox.egress.policy.url import SCHEMES

BLOCKED_PORTS: Final = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
        102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 138, 139, 143, 161, 179,
        389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587,
        601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2379, 2380,
        3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5432, 5672, 5900, 6000, 6379, 6566, 6665,
        6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 10080, 10250, 11211, 27017, 27018, 27019,
    }
)  # fmt: skip
"""Ports on which something other than HTTP listens, so that an HTTP request could be read as its commands:
the fetch standard's "bad ports", and databases, queues, caches and cluster control on top. Any other port is
allowed, because APIs do listen on odd ones."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """The destinations, schemes and ports that requests of guests may use.

    Attributes:
        allow_private: loopback and private addresses too, and any port but 0: for runs on a developer's
            machine. Link-local, multicast and cloud metadata addresses stay closed.
        allow: the only hosts that may be reached; None for every public host.
        narrower: a second list that must permit a request as well: that of the Action; None for none.
        schemes: of `http` and `https`.
        ca_file: a PEM file with further certificate authorities. Verification cannot be switched off.
        timeout_ms: for a request that names none of its own.
        response_bytes: inflated bytes of one response.
        total_bytes: inflated bytes of all responses of one execution.
        parallel: requests of one execution in flight; further ones queue.
    """

    allow_private: bool = False
    allow: tuple[AllowRule, ...] | None = None
    narrower: tuple[AllowRule, ...] | None = None
    schemes: frozenset[str] = frozenset(SCHEMES)
    ca_file: str | None = None
    timeout_ms: float = caps.DEFAULT_FETCH_TIMEOUT_MS
    response_bytes: int = caps.MAX_FETCH_RESPONSE_BODY_BYTES
    total_bytes: int = caps.MAX_FETCH_TOTAL_BYTES
    parallel: int = caps.MAX_FETCH_PARALLEL

    def __post_init__(self) -> None:
        odd = self.schemes - set(SCHEMES)
        if odd or not self.schemes:
            raise ValueError(f"egress schemes must be of {', '.join(SCHEMES)}, not {sorted(self.schemes)}")
        for name in ("timeout_ms", "response_bytes", "total_bytes", "parallel"):
            if getattr(self, name) <= 0:
                raise ValueError(f"egress {name} must be above 0")
        if self.ca_file is not None and not Path(self.ca_file).is_file():
            raise ValueError(f"egress ca_file {self.ca_file} is no file")

    def check(self, method: str, url: URL) -> None:
        """Judge one hop before any lookup. Raises `EgressError` that names the rule."""
        if url.scheme not in self.schemes:
            raise EgressError("scheme", f"The scheme {url.scheme}: is not allowed by the egress policy.")
        blocked = {0} if self.allow_private else BLOCKED_PORTS
        if url.port in blocked:
            raise EgressError("port", f"Port {url.port} is blocked: it is no port of HTTP servers.")
        address = parse_address(url.raw_host or "")
        if address is not None:
            self.check_address(address, url.raw_host or "")
        for rules in (self.allow, self.narrower):
            if rules is not None and not any(rule.permits(method, url) for rule in rules):
                raise EgressError("allow-list", f"{method} {url.origin()} is not on the egress allow-list.")

    def check_address(self, address: Address, host: str) -> None:
        """Judge an address that a connection would go to. Raises `EgressError`."""
        name = refusal(address, allow_local=self.allow_private)
        if name is not None:
            raise EgressError("private-address", f"{host} is not reachable: its address is {name}.")
