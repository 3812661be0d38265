"""No way out: every request is refused."""

from __future__ import annotations

from sandbox.egress.model import Cancel, EgressError, EgressSession, FetchRequest, Settle


class NoEgress:
    """Refuses every request with rule `no-network`."""

    def open(self, deadline: float) -> EgressSession:  # noqa: ARG002 - the protocol's shape
        return _NoSession()


class _NoSession:
    def start(self, request: FetchRequest, settle: Settle) -> Cancel:  # noqa: ARG002
        settle(EgressError("no-network", "outbound requests are switched off here"))
        return _nothing

    def close(self) -> None:
        return None


def _nothing() -> None:
    return None
