"""Users of the sample provider, in memory: passwords, second factors, metadata."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP


@dataclass
class Person:
    """A user. `otp_key` is the shared secret of an authenticator, None when none is enrolled."""

    email: str
    salt: bytes
    digest: bytes
    user_id: str = field(default_factory=lambda: f"auth0|{uuid.uuid4().hex[:24]}")
    created_at: str = field(default_factory=lambda: now())
    roles: list[str] = field(default_factory=list)
    user_metadata: dict[str, Any] = field(default_factory=dict)
    app_metadata: dict[str, Any] = field(default_factory=dict)
    otp_key: bytes | None = None
    logins: int = 0

    def knows(self, password: str) -> bool:
        return hmac.compare_digest(self.digest, _digest(password, self.salt))

    def set_password(self, password: str) -> None:
        self.salt = os.urandom(16)
        self.digest = _digest(password, self.salt)

    def passes(self, code: str) -> bool:
        """Whether `code` is what the authenticator shows now."""
        if self.otp_key is None:
            return False
        try:
            totp(self.otp_key).verify(code.encode(), int(time.time()))
        except InvalidToken:
            return False
        return True

    def as_event(self) -> dict[str, Any]:
        """`event.user`."""
        return {
            "user_id": self.user_id,
            "email": self.email,
            "email_verified": False,
            "created_at": self.created_at,
            "updated_at": now(),
            "user_metadata": self.user_metadata,
            "app_metadata": self.app_metadata,
            "identities": [],
            "enrolledFactors": [{"type": "otp"}] if self.otp_key else [],
        }


class People:
    """All users by e-mail address."""

    def __init__(self) -> None:
        self._by_email: dict[str, Person] = {}
        self._nobody = Person("", b"", b"")

    def add(self, email: str, password: str) -> Person:
        salt = os.urandom(16)
        person = Person(email, salt, _digest(password, salt))
        self._by_email[email] = person
        return person

    def find(self, email: str) -> Person | None:
        return self._by_email.get(email)

    def check(self, email: str, password: str) -> tuple[Person | None, bool]:
        """The person, and whether the password is theirs. It takes as long where nobody has the address."""
        person = self.find(email)
        known = (person or self._nobody).knows(password)
        return person, known and person is not None


def totp(key: bytes) -> TOTP:
    """What an authenticator app does with the key (RFC 6238)."""
    return TOTP(key, 6, SHA1(), 30)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
