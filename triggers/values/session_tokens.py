"""The tokens of redirects: HS256 JWTs, made and checked (reference/behaviour.md section 7, "
"threat-model J)."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from triggers.values.json_value import JsonError, clean, text

MAX_LIFETIME: Final = 100 * 365 * 86_400
"""Seconds that an outgoing token may live."""
MAX_PAYLOAD: Final = 32 * 1024
"""UTF-8 bytes of a token's claims; more does not travel in a URL."""
_BLOCK: Final = 64
"""Bytes of a SHA-256 block."""
_KEY_FILES: Final = ("-----BEGIN", "---- BEGIN", "ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-sha2-")
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenError(ValueError):
    """A token cannot be made or is not accepted; the message says why and quotes no secret."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The claims that a returning token must have.

    Attributes:
        now: seconds since 1970.
        state: of the redirect that it answers; None accepts no token.
        subject: id of the user; None accepts no token.
        issuer: None leaves `iss` open.
    """

    now: float
    state: Any
    subject: Any
    issuer: str | None = None


def sign(claims: dict[str, Any], secret: str) -> str:
    """A compact token. Raises `TokenError` for claims over `MAX_PAYLOAD` and for unfit secrets."""
    payload = text(claims).encode()
    if len(payload) > MAX_PAYLOAD:
        raise TokenError(f"the token's claims take {len(payload)} bytes; the limit is {MAX_PAYLOAD}")
    return jws.serialize_compact({"alg": "HS256", "typ": "JWT"}, payload, _key(secret), registry=_REGISTRY)


def verify(token: str, secret: str, expected: Expected) -> dict[str, Any]:
    """The claims of a token that is signed with the secret, alive, and meant for this flow.

    Raises:
        TokenError: what is wrong with it.
    """
    _check_form(token)
    try:
        found = jws.deserialize_compact(token, _key(secret), registry=_REGISTRY)
    except JoseError:
        raise TokenError("the token's signature is wrong") from None
    claims = _object(found.payload, "claims")
    _check_times(claims, expected.now)
    _check_names(claims, expected)
    return claims


def _registry() -> jws.JWSRegistry:
    registry = jws.JWSRegistry(algorithms=["HS256"], strict_check_header=False)
    registry.max_payload_length = 2 * MAX_PAYLOAD
    registry.max_header_length = MAX_PAYLOAD
    return registry


_REGISTRY: Final = _registry()


def _key(secret: str) -> OctKey:
    """The HMAC key. HMAC itself hashes keys over a block and fills shorter ones with zeros; doing it here
    changes no signature, and keeps the library from warning about what the service accepts."""
    if any(mark in secret for mark in _KEY_FILES):
        raise TokenError("a PEM or SSH key must not serve as the secret; use a random string")
    raw = secret.encode()
    raw = hashlib.sha256(raw).digest() if len(raw) > _BLOCK else raw
    return OctKey.import_key(raw.ljust(_BLOCK, b"\0"))


def _check_form(token: str) -> None:
    if len(token) > 4 * MAX_PAYLOAD or _COMPACT.fullmatch(token) is None:
        raise TokenError("the token is not a compact JWT")
    head = token.partition(".")[0]
    try:
        header = _object(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), "header")
    except ValueError:
        raise TokenError("the token's header is not JSON") from None
    if header.get("alg") != "HS256":
        raise TokenError("the token must be signed with HS256")
    if "crit" in header or "b64" in header:
        raise TokenError("the token's header asks for an extension that is not understood")


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = clean(json.loads(raw))
    except (ValueError, RecursionError, JsonError):
        raise TokenError(f"the token's {what} is not JSON") from None
    if not isinstance(value, dict):
        raise TokenError(f"the token's {what} is not a JSON object")
    return value


def _check_times(claims: dict[str, Any], now: float) -> None:
    for name in ("exp", "nbf", "iat"):
        if name in claims and not _is_time(claims[name]):
            raise TokenError(f"the token's {name} is not a time")
    if "exp" not in claims:
        raise TokenError("the token has no exp")
    if claims["exp"] <= now:
        raise TokenError("the token has expired")
    if claims.get("nbf", now) > now:
        raise TokenError("the token is not valid yet")


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_names(claims: dict[str, Any], expected: Expected) -> None:
    wanted = {"state": expected.state, "sub": expected.subject}
    if expected.issuer is not None:
        wanted["iss"] = expected.issuer
    for name, value in wanted.items():
        if name not in claims:
            raise TokenError(f"the token has no {name}")
        if not isinstance(value, str) or claims[name] != value:
            raise TokenError(f"the token's {name} is not that of this flow")
    if not isinstance(claims.get("iss", ""), str):
        raise TokenError("the token's iss is not a string")
