"""Holds an egress to the allow-list of one Action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sandbox.egress.model import Cancel, Egress, EgressError, EgressSession, FetchRequest, Settle
from sandbox.egress.policy.allow import AllowRule


@runtime_checkable
class NarrowableEgress(Egress, Protocol):
    """An egress that judges every hop of a request itself."""

    def narrowed(self, allow: tuple[AllowRule, ...]) -> Egress:
        """The same way out, to what `allow` permits as well."""
        ...


def narrowed(egress: Egress, allow: tuple[AllowRule, ...] | None) -> Egress:
    """`egress` for an Action with the allow-list `allow`; None leaves it as it is.

    An egress that cannot be narrowed (a stub) is judged by the URL of each request.
    """
    if allow is None:
        return egress
    if isinstance(egress, NarrowableEgress):
        return egress.narrowed(allow)
    return _Guarded(egress, allow)


@dataclass(frozen=True, slots=True)
class _Guarded:
    egress: Egress
    allow: tuple[AllowRule, ...]

    def open(self, deadline: float) -> EgressSession:
        return _GuardedSession(self.egress.open(deadline), self.allow)


@dataclass(frozen=True, slots=True)
class _GuardedSession:
    session: EgressSession
    allow: tuple[AllowRule, ...]

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        from sandbox.egress.policy.redirects import first_hop  # late: it loads the HTTP library's URLs

        try:
            hop = first_hop(request)
        except EgressError as error:
            settle(error)
            return _nothing
        if not any(rule.permits(hop.method, hop.url) for rule in self.allow):
            settle(
                EgressError("allow-list", f"{hop.method} {hop.url.origin()} is not on the egress allow-list.")
            )
            return _nothing
        return self.session.start(request, settle)

    def close(self) -> None:
        self.session.close()


def _nothing() -> None:
    return None
