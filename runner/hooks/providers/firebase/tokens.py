"""Proof that a blocking function was called by Google: the JWT that is the whole body."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from pydantic import Field, model_validator

from runner.hooks.model import Configured, Incoming, Origins, RefusedError, path_of, unsigned
from runner.hooks.schemes.jose import PublicKeys, check_signed, compact_header
from runner.http.json_body import BodyError, parse_body

EMULATOR: Final = "FIREBASE_AUTH_EMULATOR_HOST"
"""Google's own variable: where it is set, its Admin SDK takes unsigned tokens as well."""
_KEYS: Final = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
"""The same keys as the certificates at `…/robot/v1/metadata/x509/…`, as JWKs with the same `kid`."""
_ISSUER: Final = "https://securetoken.google.com/"
_DEMO: Final = "demo-"
_SKEW: Final = 60.0
"""Seconds that the clocks may differ."""
_LIFETIME: Final = 600
HOOKS: Final = ("beforeCreate", "beforeSignIn")
_MAX_BYTES: Final = 256 * 1024
"""Of a request: the body is parsed before it is proven."""
Project = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.:-]{2,99}$")]


class FirebaseSettings(PublicKeys):
    """Attributes:
    project: the project's id, which tokens must be issued for.
    audiences: those to take instead of the project's id and the hook's own address.
    emulator: take the unsigned tokens of the Auth emulator, if `FIREBASE_AUTH_EMULATOR_HOST` is set where
        the service runs, too. For `demo-` projects alone.
    """

    project: Project
    jwks_url: Annotated[str, Field(max_length=2_048)] = _KEYS
    audiences: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=2_048)]], Field(max_length=10)
    ] = Field(default_factory=list)
    emulator: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> FirebaseSettings:
        if self.emulator and not self.project.startswith(_DEMO):
            raise ValueError("emulator is for projects whose id begins with demo-, which no real one should")
        if not (self.jwks_url or self.jwks):
            raise ValueError("jwks_url and jwks are both empty: nothing could be verified")
        return self


async def verified(request: Incoming, hook: Configured, origins: Origins) -> bytes:
    """The claims as JSON text, without `iat` and `exp`, which differ when an event is sent again. Raises
    `RefusedError`."""
    if len(request.raw) > _MAX_BYTES:
        raise RefusedError(413, f"The body has more than {_MAX_BYTES} bytes.")
    token = _token(request.raw)
    settings: FirebaseSettings = hook.settings
    header = compact_header(token, parts=3)
    algorithm = header.get("alg")
    if algorithm == "RS256" and isinstance(header.get("kid"), str):
        text = await check_signed(
            token, hook.tenant, origins.source, url=settings.jwks_url, listed=settings.jwks
        )
        claims = _claims(text)
        _check_parties(claims, hook)
    elif algorithm == "HS256":
        claims = _claims(_shared(token, hook.values()))
    elif algorithm == "none" and settings.emulator and os.environ.get(EMULATOR):
        claims = _claims(_unsigned(token))
        _check_parties(claims, hook)
    else:
        raise unsigned()
    _check_times(claims, origins.now)
    return json.dumps({name: value for name, value in claims.items() if name not in ("iat", "exp")}).encode()


def signed(raw: bytes, secret: str, now: float) -> bytes:
    """A body with a token that the hook's secret signs: nobody but Google can sign like Google. It gets an
    `event_id` of its own, as each of Google's has."""
    try:
        claims = json.loads(raw)
    except (ValueError, RecursionError):
        claims = None
    if isinstance(claims, dict):
        fresh = {"event_id": secrets.token_urlsafe(16), "iat": int(now), "exp": int(now) + _LIFETIME}
        raw = json.dumps(claims | fresh).encode()
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + urlsafe_b64encode(raw)
    token = head + b"." + urlsafe_b64encode(_mac(head, secret))
    return json.dumps({"data": {"jwt": token.decode()}}).encode()


def _token(raw: bytes) -> bytes:
    try:
        found = parse_body(raw)["data"]["jwt"]
        return found.encode("ascii") if isinstance(found, str) and found else b""
    except (BodyError, KeyError, TypeError, IndexError, UnicodeError):
        raise unsigned() from None


def _claims(text: bytes) -> Mapping[str, Any]:
    try:
        found = parse_body(text)
    except BodyError as error:
        raise RefusedError(400, f"The token's claims cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise RefusedError(400, "The token's claims are not an object.")
    return found


def _check_parties(claims: Mapping[str, Any], hook: Configured) -> None:
    settings: FirebaseSettings = hook.settings
    audience = claims.get("aud")
    if claims.get("iss") != _ISSUER + settings.project or not isinstance(audience, str):
        raise unsigned()
    if settings.audiences:
        good = audience in settings.audiences
    else:
        # The address that Google was given: its host is known to whoever set it up, and not to us.
        own = any(audience.endswith(path_of(hook.tenant, "firebase", name)) for name in HOOKS)
        good = audience == settings.project or (own and audience.startswith(("https://", "http://")))
    if not good:
        raise unsigned()


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    if not _time(claims, "iat") - _SKEW <= now < _time(claims, "exp") + _SKEW:
        raise unsigned()


def _time(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise unsigned()
    return found


def _shared(token: bytes, values: Sequence[str]) -> bytes:
    """The payload, signed with one of the hook's own secrets. Those are of one hook: it needs no audience."""
    head, _, given = token.rpartition(b".")
    good = False
    for value in values:
        good |= hmac.compare_digest(urlsafe_b64encode(_mac(head, value)), given)
    if not good:
        raise unsigned()
    return _decoded(head.partition(b".")[2])


def _unsigned(token: bytes) -> bytes:
    head, _, signature = token.rpartition(b".")
    if signature:
        raise unsigned()
    return _decoded(head.partition(b".")[2])


def _decoded(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part)
    except ValueError:
        raise unsigned() from None


def _mac(text: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), text, hashlib.sha256).digest()
