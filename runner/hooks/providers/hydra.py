"""Ory Hydra: the token hook of all grants, and the refresh token hook, which runs before it.

An answer of 200 replaces `session.extra` and the extra claims of the ID token as a whole, so the claims are
laid over what the request had there; without a claim the answer is 204, which changes nothing
(reference/idp-hooks.md section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import UNKNOWN_TIME, Reading, base_event, login_parts, profile
from runner.hooks.model import (
    GOES_ON,
    Answer,
    Case,
    Defaults,
    Hook,
    Payload,
    Result,
)
from runner.hooks.providers.ory import BUDGET_MS, LIMIT_MS, OryProvider, status_of
from runner.hooks.schemes.authorization import bearer
from triggers import Effects

_MACHINE: Final = "client_credentials"
_PROTOCOLS: Final = {
    "authorization_code": "oidc-basic-profile",
    "refresh_token": "oauth2-refresh-token",
    "password": "oauth2-password",
    "urn:ietf:params:oauth:grant-type:device_code": "oauth2-device-code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "oauth2-resource-owner-jwt-bearer",
}
_CREDENTIALS: Final = ("assertion", "client_assertion")
"""Of the token request's form; Hydra sends the first one."""
_OWN_OF_ID_TOKEN: Final = frozenset(
    ("sub", "iss", "jti", "aud", "iat", "exp", "rat", "nonce", "at_hash", "c_hash", "auth_time", "acr", "amr")
)
"""Claims that Hydra writes over ours in an ID token, or takes out."""
_OWN_OF_ACCESS_TOKEN: Final = frozenset(
    ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scp", "ext")
)
"""Claims that Hydra never lets to the top level of an access token."""


def _choose(payload: Payload) -> str:
    """Hydra takes a machine for one only if that is its one grant."""
    grants = Reading(payload).object("request").texts("grant_types")
    return "credentials-exchange" if grants == [_MACHINE] else "post-login"


def _token_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    request = Reading(payload).object("request")
    return _event("token", payload, request, trigger, defaults, tenant)


def _refresh_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    return _event("refresh", payload, Reading(payload).object("requester"), trigger, defaults, tenant)


def _event(
    hook: str, payload: Payload, request: Reading, trigger: str, defaults: Defaults, tenant: str
) -> dict[str, Any]:
    given = Reading(payload)
    extra, ext = _present(payload)
    event = base_event("hydra", hook, trigger, tenant, defaults, _without_credentials(payload))
    event["client"]["client_id"] = request.text("client_id") or given.needed("client_id")
    event["request"]["body"] = _form(request)
    # Nothing is granted yet where a code is exchanged.
    granted, audience = request.texts("granted_scopes"), request.texts("granted_audience")
    scopes = request.texts("requested_scopes") or granted
    if trigger == "credentials-exchange":
        event["accessToken"] = {"customClaims": dict(extra), "scope": granted}
        event["resource_server"] = {"identifier": audience[0] if audience else ""}
        event["transaction"] = {"requested_scopes": scopes}
        event["request"].pop("query")
        return event
    grants = request.texts("grant_types")
    event |= login_parts(_PROTOCOLS.get(grants[0] if grants else "", "oidc-basic-profile"))
    event["transaction"]["requested_scopes"] = scopes
    if audience:
        event["resource_server"] = {"identifier": audience[0]}
    token = given.object("session").object("id_token")
    claims = token.object("id_token_claims")
    at = claims.text("auth_time") or UNKNOWN_TIME
    event["authentication"]["methods"] = [{"name": name, "timestamp": at} for name in claims.texts("amr")]
    subject = given.text("subject") or token.text("subject") or claims.needed("sub")
    event["user"] = _user(subject, {**extra, **ext})
    return event


def _present(payload: Payload) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Claims that the session has: of the access token, and of the ID token."""
    session = Reading(payload).object("session")
    claims = session.object("id_token").object("id_token_claims")
    return session.mapping("extra"), claims.mapping("ext")


def _without_credentials(payload: Payload) -> Payload:
    request = Reading(payload).object("request")
    form = {key: value for key, value in request.mapping("payload").items() if key not in _CREDENTIALS}
    if "payload" not in request:
        return payload
    return {**payload, "request": {**payload["request"], "payload": form}}


def _form(request: Reading) -> dict[str, str]:
    form = request.object("payload")
    names = [name for name in request.mapping("payload") if name not in _CREDENTIALS]
    return {name: values[0] for name in names for values in (form.texts(name),) if values}


def _user(subject: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Hydra knows the subject alone. What a consent app says of it is used where it has the type that OpenID
    Connect gives it, and is no reason to refuse a login where it has not."""

    def text(name: str) -> str | None:
        found = claims.get(name)
        return found if isinstance(found, str) and found else None

    return profile(
        subject,
        email=text("email"),
        email_verified=claims.get("email_verified") is True,
        name=text("name"),
        given_name=text("given_name"),
        family_name=text("family_name"),
        nickname=text("nickname"),
        picture=text("picture"),
        username=text("preferred_username"),
        phone_number=text("phone_number"),
        phone_verified=True if claims.get("phone_number_verified") is True else None,
    )


def _body(payload: Payload, effects: Effects) -> dict[str, Any] | None:
    """The claims over those that are there; None when there are none to lay."""
    if not effects.access_token_claims and not effects.id_token_claims:
        return None
    extra, ext = _present(payload)
    return {
        "session": {
            "access_token": {**extra, **effects.access_token_claims},
            "id_token": {**ext, **effects.id_token_claims},
        }
    }


def _losses(payload: Payload, effects: Effects) -> Sequence[Dropped]:
    return [*_lost_of_id_token(effects), *_lost_of_access_token(payload, effects)]


def _lost_of_id_token(effects: Effects) -> Iterator[Dropped]:
    for name in effects.id_token_claims:
        if name in _OWN_OF_ID_TOKEN:
            yield Dropped(Effect.ID_TOKEN_CLAIMS, name, "Hydra writes this claim itself.")


def _lost_of_access_token(payload: Payload, effects: Effects) -> Iterator[Dropped]:
    """Claims stand under `ext`, unless the configuration takes that away."""
    session = Reading(payload).object("session")
    if session.flag("mirror_top_level_claims") is not False or session.flag("preserve_ext_claims"):
        return
    top = set(session.texts("allowed_top_level_claims")) - _OWN_OF_ACCESS_TOKEN
    for name in effects.access_token_claims:
        if name not in top:
            why = "Hydra's oauth2.allowed_top_level_claims has it not, and mirror_top_level_claims is off."
            yield Dropped(Effect.ACCESS_TOKEN_CLAIMS, name, why)


_CARRIES: Final = frozenset({Effect.ACCESS_TOKEN_CLAIMS, Effect.ID_TOKEN_CLAIMS})
_TOKEN: Final = Hook(
    name="token",
    summary="Before tokens are issued, whatever the grant (oauth2.token_hook).",
    triggers=("post-login", "credentials-exchange"),
    choose=_choose,
    event=_token_event,
    carries=_CARRIES,
    losses=_losses,
    body=_body,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="token.json",
)
_REFRESH: Final = Hook(
    name="refresh",
    summary="Before a refresh token is exchanged, and before the token hook (oauth2.refresh_token_hook).",
    triggers=("post-login",),
    event=_refresh_event,
    carries=_CARRIES,
    losses=_losses,
    body=_body,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="refresh.json",
)


class Hydra(OryProvider):
    name = "hydra"
    title = "Ory Hydra"
    hooks: ClassVar[Mapping[str, Hook]] = {hook.name: hook for hook in (_TOKEN, _REFRESH)}

    def response_of(self, hook: Hook, payload: Payload, result: Result) -> Answer:
        case = result.case
        if case in GOES_ON:
            body = hook.body(payload, result.effects) if case is Case.ALLOWED else None
            return Answer(204) if body is None else Answer.of(200, body)
        status = status_of(result)
        error = "access_denied" if status == 403 else "server_error"
        described = {"error": error, "error_description": result.reason}
        return Answer.of(status, described, result.retry_after)

    def goes_on(self, hook: Hook, answer: Answer) -> bool:  # noqa: ARG002
        """204, or 200 with an object; an empty one takes all extra claims away."""
        return answer.status == 204 or (answer.status == 200 and isinstance(answer.json, dict))

    def sign(self, hook: Hook, raw: bytes, secret: str, now: float) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        return {"Content-Type": "application/json; charset=UTF-8", "Authorization": bearer(secret)}, raw
