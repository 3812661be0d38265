"""The hook before every access token: its answer is the whole set of claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading, login_parts, profile
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.supabase.parts import BUDGET_MS, LIMIT_MS, begin, key, names_of
from triggers import Effects

_NAME: Final = "customize-access-token"
_NEEDED: Final[Mapping[str, tuple[type, ...]]] = {
    "aud": (str, list),
    "exp": (int,),
    "iat": (int,),
    "sub": (str,),
    "email": (str,),
    "phone": (str,),
    "role": (str,),
    "aal": (str,),
    "session_id": (str,),
    "is_anonymous": (bool,),
}
"""What GoTrue's schema requires of an answer."""
_KEPT: Final = frozenset(_NEEDED) | {"iss", "jti", "nbf", "amr", "client_id", "scope"}
"""Claims that say who the user is and for how long; they stay as GoTrue sends them."""
_OBJECTS: Final = ("app_metadata", "user_metadata")
_METHODS: Final = {
    "password": "pwd",
    "oauth": "federated",
    "sso/saml": "federated",
    "totp": "mfa",
    "mfa/phone": "mfa",
    "mfa/webauthn": "mfa",
    "magiclink": "email",
    "email/signup": "email",
}
"""GoTrue's names of methods in Auth0's words; others, such as `otp`, are handed on."""
_REFRESH: Final = "token_refresh"
_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""


def is_token(claims: Any) -> bool:
    """Whether GoTrue takes them for those of a token."""
    return isinstance(claims, dict) and all(
        isinstance(claims.get(name), kinds) and (bool in kinds or not isinstance(claims[name], bool))
        for name, kinds in _NEEDED.items()
    )


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = begin(payload, _NAME, trigger, defaults, tenant)
    claims = given.object("claims")
    if not claims:
        raise RefusedError(400, "The payload has no $.claims.")
    event["client"]["client_id"] = claims.text("client_id") or event["client"]["client_id"]
    refreshes = given.text("authentication_method") == _REFRESH
    event |= login_parts("oauth2-refresh-token" if refreshes else "oidc-basic-profile")
    event["transaction"]["requested_scopes"] = (claims.text("scope") or "").split()
    event["authentication"]["methods"] = [_method(entry) for entry in claims.objects("amr")]
    event["user"] = profile(
        given.needed("user_id"),
        is_anonymous=claims.flag("is_anonymous"),
        **names_of(claims),
    )
    return event


def _method(entry: Reading) -> dict[str, str]:
    name = entry.needed("method")
    seconds = entry.number("timestamp") or 0
    if not 0 <= seconds <= _LAST_SECOND:
        raise RefusedError(400, "The payload has a method of authentication at no time.")
    at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    found = {"name": _METHODS.get(name, name), "timestamp": at.replace("+00:00", "Z")}
    return found | ({"type": name.removeprefix("mfa/")} if found["name"] == "mfa" else {})


def _claims(payload: Payload) -> Mapping[str, Any]:
    return Reading(payload).mapping("claims")


def _taken(name: str, value: Any) -> bool:
    return name not in _KEPT and (name not in _OBJECTS or isinstance(value, dict))


def _body(payload: Payload, effects: Effects) -> dict[str, Any]:
    ours = {name: value for name, value in effects.access_token_claims.items() if _taken(name, value)}
    return {"claims": {**_claims(payload), **ours}}


def _losses(payload: Payload, effects: Effects) -> list[Dropped]:
    before = _claims(payload)
    return [
        Dropped(Effect.ACCESS_TOKEN_CLAIMS, name, "The claim is Supabase's own.")
        for name, value in effects.access_token_claims.items()
        if not _taken(name, value) and before.get(name) != value
    ]


ACCESS_TOKEN: Final = Hook(
    name=_NAME,
    summary="Before every access token, at a login and at each refresh.",
    triggers=("post-login",),
    event=_event,
    carries=frozenset({Effect.ACCESS_TOKEN_CLAIMS}),
    losses=_losses,
    body=_body,
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
