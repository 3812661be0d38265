"""The model of an outbound HTTP request, and the interface of egress clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Redirect = Literal["follow", "manual", "error"]

Headers = tuple[tuple[str, str], ...]
"""Names as they came, with their values, in order; a name may occur more than once."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One request of a guest, within the caps of `sandbox.core.caps`; not yet judged by a policy."""

    url: str
    method: str = "GET"
    headers: Headers = ()
    body: bytes | None = None
    timeout_ms: float | None = None
    redirect: Redirect = "follow"


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The answer. `url` is the last one after redirects; `body` is inflated."""

    status: int
    status_text: str
    url: str
    redirected: bool
    headers: Headers
    body: bytes


class EgressError(Exception):
    """A request was refused or broke.

    Attributes:
        rule: stable name of the reason, e.g. `private-address`, `timeout`, `too-large`, `scheme`,
            `port`, `allow-list`, `dns`, `connect`, `tls`, `redirects`, `headers`, `encoding`,
            `protocol`, `limit`, `url`, `method`, `no-network`, `no-stub`.
        message: one sentence for the tenant.
        system: the name that Node has for it, e.g. `ECONNREFUSED`, `CERT_HAS_EXPIRED`; empty when the rule
            alone tells.
        argument: an argument of the request is refused, before anything of the network is asked.
    """

    def __init__(self, rule: str, message: str, system: str = "", *, argument: bool = False) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.system = system
        self.argument = argument


Outcome = FetchResponse | EgressError
Settle = Callable[[Outcome], None]
Cancel = Callable[[], None]


class EgressSession(Protocol):
    """The requests of one execution. Counts and caps are kept per session."""

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        """Begin `request`; `settle` is called once, from any thread, unless cancelled first. Errors
        settle too. The answer is a function that gives the request up."""
        ...

    def close(self) -> None:
        """Give up whatever is still in flight, without waiting for it."""
        ...


class Egress(Protocol):
    """A way out to the network, shared by executions."""

    def open(self, deadline: float) -> EgressSession:
        """A session for one execution that ends at `deadline` (`time.monotonic()` seconds)."""
        ...
