"""Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over an id, a time and the body, in base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from runner.hooks.model import Incoming, unsigned
from runner.hooks.schemes.timed_hmac import AHEAD_SECONDS

ID: Final = "webhook-id"
STAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
_VERSION: Final = "v1,"
_PREFIX: Final = "whsec_"
_MAX_HEADER: Final = 4_096
_MAX_SIGNATURES: Final = 8
_MIN_KEY_BYTES: Final = 24
"""The standard's own lower limit."""
_SECONDS: Final = re.compile(r"[0-9]{1,11}")


def check_standard_webhook(request: Incoming, secrets: Sequence[str], now: float, tolerance: float) -> None:
    """Raises `RefusedError` unless one of the signatures was made with one of `secrets`, not longer than
    `tolerance` seconds ago. All are compared, in constant time."""
    named, stamp, header = (request.header(name) or "" for name in (ID, STAMP, SIGNATURE))
    if max(len(named), len(header)) > _MAX_HEADER or not named or not _SECONDS.fullmatch(stamp):
        raise unsigned()
    # The standard puts a blank between signatures; GoTrue puts a comma and a blank.
    parts = [part.rstrip(",") for part in header.split()]
    given = [part.removeprefix(_VERSION) for part in parts if part.startswith(_VERSION)]
    if not 0 < len(given) <= _MAX_SIGNATURES:
        raise unsigned()
    sent = [signature.encode("utf-8", "surrogatepass") for signature in given]
    good = False
    for secret in secrets:
        expected = standard_webhook_signature(secret, named, stamp, request.raw).encode()
        for signature in sent:
            good |= hmac.compare_digest(expected, signature)
    if not good or not now - tolerance <= int(stamp) <= now + AHEAD_SECONDS:
        raise unsigned()


def standard_webhook(raw: bytes, secret: str, message: str, now: float) -> dict[str, str]:
    """The three headers; `message` is the id."""
    stamp = str(int(now))
    signature = standard_webhook_signature(secret, message, stamp, raw)
    return {ID: message, STAMP: stamp, SIGNATURE: f"{_VERSION}{signature}"}


def standard_webhook_signature(secret: str, message: str, stamp: str, raw: bytes) -> str:
    """In base64. A secret that is none signs as well, with what no provider would take for its own."""
    key = key_of(secret) or secret.encode()
    signed = f"{message}.{stamp}.".encode("latin-1") + raw
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def key_of(secret: str) -> bytes | None:
    """The key of `v1,whsec_<base64>` or `whsec_<base64>`; None for what is none, or too short."""
    text = secret.removeprefix(_VERSION)
    if not text.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) >= _MIN_KEY_BYTES else None
