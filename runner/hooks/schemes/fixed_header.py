"""A secret that the provider sends with every request: an API key in a header, a bearer token, basic."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from runner.hooks.model import unsigned


def check_fixed(given: str | None, secrets: Sequence[str]) -> None:
    """Raises `RefusedError` unless `given` is one of `secrets`. All are compared, in constant time."""
    sent = (given or "").encode("utf-8", "surrogatepass")
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(secret.encode(), sent)
    if not good or not sent:
        raise unsigned()
