"""HMAC-SHA256 over a time and the body, as `t=<seconds>,v1=<hex>` has it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from runner.hooks.model import unsigned

AHEAD_SECONDS: Final = 60.0
"""How far the sender's clock may be ahead."""
_MAX_HEADER: Final = 4_096
_MAX_SIGNATURES: Final = 8
_SECONDS: Final = re.compile(r"[0-9]{1,11}")


def check_timed_hmac(
    header: str | None, raw: bytes, secrets: Sequence[str], now: float, tolerance: float
) -> None:
    """Raises `RefusedError` unless one signature of the header was made with one of `secrets`, not longer
    than `tolerance` seconds ago."""
    if header is None or len(header) > _MAX_HEADER:
        raise unsigned()
    stamp, signatures = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamp = value
        elif name == "v1":
            signatures.append(value)
    if not _SECONDS.fullmatch(stamp) or not 0 < len(signatures) <= _MAX_SIGNATURES:
        raise unsigned()
    given = [value.lower().encode("utf-8", "surrogatepass") for value in signatures]
    good = False
    for secret in secrets:
        expected = _signature(secret, stamp, raw).encode()
        for signature in given:
            good |= hmac.compare_digest(expected, signature)
    if not good or not now - tolerance <= int(stamp) <= now + AHEAD_SECONDS:
        raise unsigned()


def timed_hmac(raw: bytes, secret: str, now: float) -> str:
    """The header."""
    stamp = str(int(now))
    return f"t={stamp},v1={_signature(secret, stamp, raw)}"


def _signature(secret: str, stamp: str, raw: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
