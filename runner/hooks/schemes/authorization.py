"""A secret in `Authorization`: as a bearer token, or as the password of basic authentication."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from runner.hooks.model import unsigned
from runner.hooks.schemes.fixed_header import check_fixed

AUTHORIZATION: Final = "authorization"
_MAX_HEADER: Final = 16_384


def check_authorization(header: str | None, secrets: Sequence[str]) -> None:
    """Raises `RefusedError` unless the header holds one of `secrets`. The user of basic authentication may be
    any."""
    if header is None or len(header) > _MAX_HEADER:
        raise unsigned()
    scheme, _, given = header.strip().partition(" ")
    given = given.strip()
    if scheme.lower() == "basic":
        given = _password(given)
    elif scheme.lower() != "bearer":
        raise unsigned()
    check_fixed(given, secrets)


def bearer(secret: str) -> str:
    """The header."""
    return f"Bearer {secret}"


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        raise unsigned() from None
