"""Access tokens: JWTs of this installation (RFC 9068 in shape), signed with a key derived from the key ring.

Verification knows one algorithm and takes the key by our own configuration, never by what a header says
beyond its `kid` (RFC 8725, threat-model J1).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from runner.config.keys import Keys
from runner.store.sealed.sealing import KeyRing

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_PURPOSE: Final = "actionbox access tokens v1"
ISSUER: Final = "actionbox"
TENANT_CLAIM: Final = "https://actionbox/tenant"
MANAGEMENT_PATH: Final = "/api/v2/"
RUNTIME_PATH: Final = "/runtime/v1/"
CONSOLE_PATH: Final = "/console/api/"
PLANES: Final = (MANAGEMENT_PATH, RUNTIME_PATH, CONSOLE_PATH)
GRANTED: Final = ("*",)
"""Scopes of a token that stands for all that its client has: short, however many there are."""
_MAX_TOKEN: Final = 8192
"""Characters of a token."""
LAST_MOMENT: Final = 253_402_300_799
"""The end of the year 9999, in epoch seconds."""
_LEEWAY: Final = 5.0
"""Seconds that clocks of replicas may differ."""


class TokenError(Exception):
    """A token is not good; the message says why in words for its holder."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    Attributes:
        tenant: all that the call may see.
        client_id: in audit rows; who signed in, of a session.
        scopes: granted, exactly as written; `GRANTED` in a token that leaves them to its client.
        planes: paths of the APIs that the token is for.
        expires_at: epoch seconds.
        session_id: of the console's session whose cookie came in the place of a token; "" for a token.
    """

    tenant: str
    client_id: str
    scopes: frozenset[str]
    planes: frozenset[str]
    expires_at: float
    session_id: str = ""


class Tokens:
    """Makes and reads access tokens."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._source = keys
        self._clock = clock
        self._ring: KeyRing | None = None
        self._keys: dict[str, OctKey] = {}

    def _signing(self) -> dict[str, OctKey]:
        """Signing keys by id, of the ring as it is now."""
        ring = self._source.ring
        if ring is not self._ring:
            derived = ring.derive(_PURPOSE)
            self._keys = {name: OctKey.import_key(key) for name, key in zip(ring.ids, derived, strict=True)}
            self._ring = ring
        return self._keys

    def issue(
        self, tenant: str, client_id: str, scopes: Sequence[str], audiences: Sequence[str], seconds: int
    ) -> str:
        """A token for `seconds`. `audiences`: URLs, each ending in the path of a plane."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": f"{client_id}@clients",
            "azp": client_id,
            "aud": audiences[0] if len(audiences) == 1 else list(audiences),
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_hex(16),
            "gty": "client-credentials",
            "scope": " ".join(scopes),
            TENANT_CLAIM: tenant,
        }
        current, key = next(iter(self._signing().items()))
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": current}
        return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])

    def read(self, text: str) -> Principal:
        """The principal of a token. Raises `TokenError`."""
        if len(text) > _MAX_TOKEN or text.count(".") != 2:
            raise TokenError("Invalid token")
        try:
            token = jwt.decode(text, self._key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise TokenError("Invalid token") from None
        if token.header.get("typ") != _TYPE or "crit" in token.header:
            raise TokenError("Invalid token")
        return self._principal(token.claims)

    def _key(self, obj: Any) -> OctKey:
        """The key that the header names. Raises `KeyError`."""
        return self._signing()[obj.headers()["kid"]]

    def _principal(self, claims: dict[str, Any]) -> Principal:
        audiences = claims.get("aud")
        listed = [audiences] if isinstance(audiences, str) else audiences
        texts = (claims.get("iss"), claims.get("azp"), claims.get("scope"), claims.get(TENANT_CLAIM))
        times = (claims.get("iat"), claims.get("exp"), claims.get("nbf", 0))
        if (
            not isinstance(listed, list)
            or not all(isinstance(text, str) for text in (*texts, *listed))
            or not all(map(_is_moment, times))
            or claims["iss"] != ISSUER
        ):
            raise TokenError("Invalid token")
        now = self._clock()
        if now >= claims["exp"]:
            raise TokenError("Expired token received for JSON Web Token validation")
        if max(claims["iat"], claims.get("nbf", 0)) > now + _LEEWAY:
            raise TokenError("Invalid token")
        return Principal(
            tenant=claims[TENANT_CLAIM],
            client_id=claims["azp"],
            scopes=frozenset(claims["scope"].split()),
            planes=frozenset(plane for item in listed if (plane := plane_of(item)) is not None),
            expires_at=float(claims["exp"]),
        )


def _is_moment(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_MOMENT


def plane_of(audience: str) -> str | None:
    """The path of the API that an audience means; any host and scheme will do, because one service is
    reached under many names."""
    path = urlsplit(audience).path
    return next((plane for plane in PLANES if path.rstrip("/") == plane.rstrip("/")), None)
