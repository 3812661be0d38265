"""Base64url as tokens have it, and text that may be bytes."""

import base64
import binascii
from typing import Any

from .exceptions import DecodeError

_DIGITS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def encoded(data: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def lenient(text: str | bytes) -> bytes:
    """The bytes of a member of a JWK. Raises ValueError, TypeError."""
    given = octets(text)
    return base64.urlsafe_b64decode(given + b"=" * (-len(given) % 4))


def strict(part: bytes, name: str) -> bytes:
    """The bytes of a part of a token. Only one spelling of them is accepted.

    Raises:
        DecodeError: it is no base64url, or its unused bits are not zero.
    """
    digits = part.rstrip(b"=")
    padding = len(part) - len(digits)
    whole = padding == 0 or (padding <= 2 and len(part) % 4 == 0)
    if whole and _DIGITS.issuperset(digits):
        try:
            decoded = base64.urlsafe_b64decode(digits + b"=" * (-len(digits) % 4))
        except binascii.Error:
            decoded = None
        if decoded is not None and encoded(decoded) == digits:
            return decoded
    raise DecodeError(f"Invalid {name} padding")


def octets(value: Any) -> bytes:
    """Bytes of a str or bytes. Raises TypeError for anything else."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError("Expected a string or bytes value")
