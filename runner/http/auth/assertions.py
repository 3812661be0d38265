"""Clients that log in with a signed assertion instead of a secret (private_key_jwt: RFC 7521, RFC 7523,
OpenID Connect Core section 9).

The keys are those that the operator registered for the client; nothing in an assertion's header chooses a key
or brings one, and the algorithm must be one of four and fit the key (RFC 8725, threat-model J1).
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey, import_key
from joserfc.util import urlsafe_b64decode
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from runner.http.auth.tokens import LAST_MOMENT
from runner.model.caps import (
    MAX_ASSERTION,
    MAX_ASSERTION_ID,
    MAX_ASSERTION_SECONDS,
    MAX_RSA_CLIENT_KEY_BITS,
    MIN_RSA_CLIENT_KEY_BITS,
)
from runner.model.errors import InputError
from runner.store.database.engine import Store
from runner.store.tables.client_keys import ClientKeyRow, UsedAssertionRow
from runner.store.tables.models import ApiClient

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS: Final = {"RSA": frozenset({"RS256", "RS384", "PS256"}), "EC": frozenset({"ES256"})}
_TYPES: Final = (None, "JWT", "client-authentication+jwt")
_LEEWAY: Final = 5.0
"""Seconds that a client's clock may be ahead."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TOKEN_PATHS: Final = frozenset({"", "/", "/oauth/token"})
PublicKey = RSAKey | ECKey


class BadAssertionError(Exception):
    """An assertion is not good; the message says why in words for its sender."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claims of an assertion, not verified yet."""

    client_id: str
    algorithm: str


def public_key(text: str) -> PublicKey:
    """A public key as PEM or JWK.

    Raises:
        InputError: `invalid_public_key`: it is none, is private, too weak, or of a kind that is not taken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of weak keys, which are refused below
            key = import_key(json.loads(text) if text.lstrip().startswith("{") else text)
    except (JoseError, ValueError, TypeError, KeyError):
        raise _bad_key("it is neither a public key as PEM nor a JWK of one") from None
    if isinstance(key, OctKey):
        raise _bad_key("it is neither a public key as PEM nor a JWK of one")
    if isinstance(key, RSAKey | ECKey) and key.is_private:
        raise _bad_key("it is a private key, which only the client should have")
    if isinstance(key, RSAKey):
        bits = key.public_key.key_size
        if not MIN_RSA_CLIENT_KEY_BITS <= bits <= MAX_RSA_CLIENT_KEY_BITS:
            raise _bad_key(
                f"it has {bits} bits; an RSA key has {MIN_RSA_CLIENT_KEY_BITS} to {MAX_RSA_CLIENT_KEY_BITS}"
            )
        return key
    if isinstance(key, ECKey) and key.curve_name == "P-256":
        return key
    raise _bad_key("RSA keys and keys of the curve P-256 are taken")


def _bad_key(why: str) -> InputError:
    return InputError(
        "invalid_public_key",
        f"the file is no public key that can be taken: {why}",
        next_step="Make one with: openssl genrsa -out private.pem 3072; "
        "openssl rsa -in private.pem -pubout -out public.pem",
    )


class Assertions:
    """Verifies assertions; safe between threads."""

    def __init__(self, store: Store, url: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._url = urlsplit(url)
        self._clock = clock

    def verify(self, text: str, client_id: str) -> ApiClient:
        """The client that sent the assertion, which cannot be used again.

        Reads and writes the database: call it in a thread.

        Args:
            client_id: as the request has it beside the assertion; "" when it does not.

        Raises:
            BadAssertionError: see there. Of an unknown client it tells no more than of a wrong signature.
        """
        if len(text) > MAX_ASSERTION or text.count(".") != 2:
            raise BadAssertionError("the client assertion is no signed JWT")
        claimed = _claimed(text)
        if client_id not in ("", claimed.client_id):
            raise BadAssertionError("client_id is not the subject of the client assertion")
        with self._store.read() as session:
            client = session.scalar(select(ApiClient).where(ApiClient.id == claimed.client_id))
            rows = session.scalars(select(ClientKeyRow).where(ClientKeyRow.client_id == claimed.client_id))
            keys = [import_key(row.jwk) for row in rows]
        claims = _verified(text, claimed.algorithm, keys)
        if client is None or claims is None or client.revoked_at is not None:
            raise BadAssertionError("the client is unknown, or its key did not sign the client assertion")
        self._check(claims, client.id)
        self._use(client, claims)
        return client

    def _check(self, claims: Mapping[str, Any], client_id: str) -> None:
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise BadAssertionError("iss and sub of the client assertion must be the client id")
        audience = claims.get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        if not any(isinstance(item, str) and self._is_ours(item) for item in listed):
            raise BadAssertionError(f"aud of the client assertion must be {self._url.geturl()}/")
        now = self._clock()
        expires = _seconds(claims, "exp", required=True)
        if now >= expires:
            raise BadAssertionError("the client assertion has expired")
        if expires > now + MAX_ASSERTION_SECONDS + _LEEWAY:
            raise BadAssertionError(
                f"exp of the client assertion may be at most {MAX_ASSERTION_SECONDS} seconds ahead"
            )
        for name in ("iat", "nbf"):
            if _seconds(claims, name) > now + _LEEWAY:
                raise BadAssertionError(f"{name} of the client assertion is in the future")
        own_id = claims.get("jti")
        if not isinstance(own_id, str) or not 0 < len(own_id) <= MAX_ASSERTION_ID:
            raise BadAssertionError(
                f"jti of the client assertion must have 1 to {MAX_ASSERTION_ID} characters"
            )

    def _is_ours(self, audience: str) -> bool:
        """The service's address or its token endpoint. A request's Host header counts for nothing: whoever
        was sent an assertion for another service could choose it."""
        try:
            given = urlsplit(audience)
            same_port = given.port == self._url.port
        except ValueError:
            return False
        names = {given.hostname, self._url.hostname}
        return (
            given.scheme == self._url.scheme
            and same_port
            and (len(names) == 1 or names <= _LOOPBACK)
            and given.path in _TOKEN_PATHS
            and not (given.query or given.fragment or given.username)
        )

    def _use(self, client: ApiClient, claims: Mapping[str, Any]) -> None:
        digest = hashlib.sha256(claims["jti"].encode("utf-8", "surrogatepass")).hexdigest()
        until = datetime.fromtimestamp(claims["exp"], UTC)
        row = UsedAssertionRow(
            tenant_id=client.tenant_id, client_id=client.id, digest=digest, expires_at=until
        )
        try:
            with self._store.begin() as session:
                session.add(row)
        except IntegrityError:
            raise BadAssertionError("the client assertion was used before; sign a new one") from None


def _claimed(text: str) -> Claimed:
    """Raises `BadAssertionError` for what is no JWT, or asks for what is not done here."""
    try:
        header, claims = (json.loads(_decoded(part)) for part in text.split(".")[:2])
        algorithm, subject = header["alg"], claims["sub"]
        unusual = header.get("typ") not in _TYPES or "crit" in header
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadAssertionError("the client assertion is no signed JWT with the claim sub") from None
    known = sorted(name for names in _ALGORITHMS.values() for name in names)
    if algorithm not in known:
        raise BadAssertionError(f"alg of the client assertion must be one of {', '.join(known)}")
    if unusual or not isinstance(subject, str) or not subject.isalnum() or not subject.isascii():
        raise BadAssertionError("the client assertion is of a kind that is not taken")
    return Claimed(subject, algorithm)


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part.encode("ascii"))


def _verified(text: str, algorithm: str, keys: Sequence[Any]) -> Mapping[str, Any] | None:
    """Claims of what one of `keys` signed with `algorithm`; None when none did."""
    for key in keys:
        if algorithm in _ALGORITHMS.get(key.key_type, ()):
            try:
                return jwt.decode(text, key, algorithms=[algorithm]).claims
            except (JoseError, ValueError, TypeError, KeyError, RecursionError):
                continue
    return None


def _seconds(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    """A moment as epoch seconds; 0 when it is absent and may be."""
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_MOMENT:
        raise BadAssertionError(f"{name} of the client assertion must be a number of seconds")
    return float(value)
