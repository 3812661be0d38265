"""A secret that the provider sends with every request: an API key in a header, a bearer token, basic."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from runner.hooks.model import Secret, unsigned


def header_problem(secret: Secret, *, blanks: bool = False) -> str:
    """Why a secret cannot stand in a header, or "". `blanks`: it may be several words."""
    inside = " " if blanks else ""
    value = secret.value
    if value and value == value.strip() and all("!" <= item <= "~" or item in inside for item in value):
        return ""
    where = "no blanks at its ends" if blanks else "no blanks"
    return f"the secret goes into a header: it may have ASCII characters alone, and {where}"


def check_fixed(given: str | None, secrets: Sequence[str]) -> None:
    """Raises `RefusedError` unless `given` is one of `secrets`. All are compared, in constant time."""
    sent = (given or "").encode("utf-8", "surrogatepass")
    good = False
    for secret in secrets:
        good |= hmac.compare_digest(secret.encode(), sent)
    if not good or not sent:
        raise unsigned()
