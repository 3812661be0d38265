"""The hook before the tokens of a custom authorization server: patches of what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.okta.parts import BUDGET_MS, LIMIT_MS, begin, key, login, pointer
from triggers import Effects

_NAME: Final = "token"
_KIND: Final = "com.okta.oauth2.tokens.transform"
_BOTH: Final = ("iss", "jti", "token_type", "ver", "exp", "iat")
_ACCESS: Final = "acr amr as_uri cid client_id groups rpt rsi scp uid username"
_IDENTITY: Final = (
    "active aid amr app_id app_type at_hash aud auth_time client_id client_ip client_req_id client_type "
    "client_user_agent cnf c_hash device_compliance device_id device_known device_managed device_name "
    "device_trust did dst group groups hotk idp idp_iss mac_key may_act nonce oid okta_emailVerified "
    "okta_lastUpdated orig permissions purpose pwd_exp_days pwd_exp_time rid role scope scopes sid sub term "
    "user_ip"
)


@dataclass(frozen=True, slots=True)
class _Token:
    """`reserved`: claims whose change makes Okta drop the whole patch and let the token go out unchanged."""

    member: str
    command: str
    effect: Effect
    reserved: frozenset[str]

    def claims(self, effects: Effects) -> Mapping[str, Any]:
        is_access = self.effect is Effect.ACCESS_TOKEN_CLAIMS
        return effects.access_token_claims if is_access else effects.id_token_claims


_TOKENS: Final = (
    _Token(
        "identity",
        "com.okta.identity.patch",
        Effect.ID_TOKEN_CLAIMS,
        frozenset((*_BOTH, *_IDENTITY.split())),
    ),
    _Token(
        "access",
        "com.okta.access.patch",
        Effect.ACCESS_TOKEN_CLAIMS,
        frozenset((*_BOTH, *_ACCESS.split())),
    ),
)


def _choose(payload: Payload) -> str:
    context = Reading(payload).object("data").object("context")
    return "post-login" if "user" in context else "credentials-exchange"


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, data = begin(payload, _NAME, _KIND, trigger, defaults, tenant)
    protocol = data.object("context").object("protocol")
    client, request = protocol.object("client"), protocol.object("request")
    event["client"]["client_id"] = client.text("id") or event["client"]["client_id"]
    event["client"]["name"] = client.text("name") or event["client"]["name"]
    scopes = (request.text("scope") or "").split()
    if trigger == "credentials-exchange":
        event["request"].pop("query")
        event["accessToken"] = {"customClaims": {}, "scope": scopes}
        event["resource_server"] = {"identifier": _audience(data)}
        event["transaction"] = {"requested_scopes": scopes}
        return event
    refreshes = request.text("grant_type") == "refresh_token"
    login(event, data, "oauth2-refresh-token" if refreshes else "oidc-basic-profile")
    event["transaction"]["requested_scopes"] = scopes
    for name in ("redirect_uri", "state"):
        value = request.text(name)
        event["transaction"] |= {} if value is None else {name: value}
    return event


def _audience(data: Reading) -> str:
    found = data.object("access").mapping("claims").get("aud")
    return found if isinstance(found, str) else ""


def _sent(payload: Payload, token: _Token) -> Mapping[str, Any] | None:
    """The claims of a token that is being made; None when it is not."""
    data = Reading(payload).object("data")
    return data.object(token.member).mapping("claims") if token.member in data else None


def _body(payload: Payload, effects: Effects) -> dict[str, Any]:
    """A claim that is there is replaced, for else Okta drops the whole patch."""
    commands = []
    for token in _TOKENS:
        before = _sent(payload, token)
        if before is None:
            continue
        changes = [
            _operation(name, value, before)
            for name, value in token.claims(effects).items()
            if name not in token.reserved and not (value is None and name not in before)
        ]
        if changes:
            commands.append({"type": token.command, "value": changes})
    return {"commands": commands} if commands else {}


def _operation(name: str, value: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    path = pointer("claims", name)
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "replace" if name in before else "add", "path": path, "value": value}


def _losses(payload: Payload, effects: Effects) -> list[Dropped]:
    found = []
    for token in _TOKENS:
        before = _sent(payload, token)
        for name, value in token.claims(effects).items():
            if before is None:
                found.append(Dropped(token.effect, name, "No such token is made here.", matters=False))
            elif name in token.reserved and before.get(name) != value:
                found.append(Dropped(token.effect, name, "The claim is Okta's own."))
    return found


TOKEN: Final = Hook(
    name=_NAME,
    summary="Before the tokens of a custom authorization server are made, for a user or a client.",
    triggers=("post-login", "credentials-exchange"),
    choose=_choose,
    event=_event,
    carries=frozenset({Effect.ID_TOKEN_CLAIMS, Effect.ACCESS_TOKEN_CLAIMS}),
    elsewhere=frozenset({Effect.SAML_ATTRIBUTES}),
    losses=_losses,
    body=_body,
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
