"""What Ory Hydra and Ory Kratos share: the secret in `Authorization`, and the statuses of refusals."""

from __future__ import annotations

from typing import Final

from runner.hooks.model import Case, Configured, Incoming, Origins, Provider, Result, Secret
from runner.hooks.schemes.authorization import AUTHORIZATION, check_authorization
from runner.hooks.schemes.fixed_header import header_problem

LIMIT_MS: Final = 30_000
"""They wait that long for each of their three tries; a user waits for all of it."""
BUDGET_MS: Final = 10_000
_STATUS: Final = {
    Case.DENIED: 403,
    Case.SUSPENDED: 403,
    Case.UNCARRIED: 403,
    Case.BUSY: 429,
    Case.UNAVAILABLE: 503,
}
_FAILED: Final = 424
"""An error, and no other try: that would run the Actions again. The courier of Kratos tries again after every
status but 2xx."""


class OryProvider(Provider):
    proofs = (AUTHORIZATION,)
    makes_secret = True

    async def verify(self, request: Incoming, hook: Configured, origins: Origins) -> bytes:  # noqa: ARG002
        check_authorization(request.header(AUTHORIZATION), hook.values())
        return request.raw

    def problem_of(self, secret: Secret) -> str:
        return super().problem_of(secret) or header_problem(secret)


def status_of(result: Result) -> int:
    """Of a result that does not let the user go on."""
    return result.status if result.case is Case.REFUSED else _STATUS.get(result.case, _FAILED)
