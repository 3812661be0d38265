"""Secrets of API clients, sessions and links: made once, kept as digests, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_secret() -> str:
    """256 random bits (threat-model P3)."""
    return secrets.token_urlsafe(32)


def secret_digest(secret: str) -> str:
    """All that is kept of it: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def secret_matches(secret: str, digest: str) -> bool:
    """In a time that does not depend on where they differ."""
    return hmac.compare_digest(secret_digest(secret), digest)
