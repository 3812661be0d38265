"""Pre-issue access token and pre-issue ID token: claims and scopes, on every login and refresh.

An operation that WSO2 has not allowed is passed over there without a word, so none is ever sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading, login_parts, profile
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.wso2.events import BUDGET_MS, LIMIT_MS, begun, check_type
from triggers import Effects

_ACCESS: Final = "pre-issue-access-token"
_ID: Final = "pre-issue-id-token"
_TYPES: Final = {_ACCESS: "PRE_ISSUE_ACCESS_TOKEN", _ID: "PRE_ISSUE_ID_TOKEN"}
_MACHINE: Final = "client_credentials"
_PROTOCOLS: Final = {
    "refresh_token": "oauth2-refresh-token",
    "password": "oauth2-password",
    "urn:ietf:params:oauth:grant-type:device_code": "oauth2-device-code",
}
_OWN: Final = frozenset(
    name
    for line in (
        "iss sub aud exp iat nbf jti client_id azp aut scope expires_in",
        "binding_type binding_ref subject_type",
        "at_hash c_hash s_hash sid realm tenant userstore isk auth_time nonce acr amr",
    )
    for name in line.split()
)
"""Claims that WSO2 sets itself."""
_Operation = dict[str, Any]


class _Token:
    """The token of a request, and which changes WSO2 takes. `name`: `accessToken` or `idToken`."""

    def __init__(self, payload: Payload, name: str) -> None:
        given = Reading(payload)
        token = given.object("event").object(name)
        self._name = name
        self.claims = {item.needed("name"): item.value("value") for item in token.objects("claims")}
        self.scopes = token.texts("scopes")
        self._allowed = {
            (item.needed("op"), path)
            for item in given.objects("allowedOperations")
            for path in item.texts("paths")
        }

    def takes(self, operation: str, path: str) -> bool:
        """Whether a path below the token's may be changed so."""
        return (operation, f"/{self._name}/{path}") in self._allowed

    def op(self, operation: str, path: str, value: Any = None) -> _Operation:
        made = {"op": operation, "path": f"/{self._name}/{path}"}
        return made if value is None else {**made, "value": value}

    def claim(self, name: str, value: Any) -> _Operation | str | None:
        """The operation that makes a claim `value` (None: removes it); None when it is so already, or in
        words why there is none."""
        there = name in self.claims
        if (there and self.claims[name] == value) or (not there and value is None):
            return None
        if name in _OWN:
            return "WSO2 sets this claim itself."
        if not there:
            if not _is_value(value):
                return "WSO2 takes text, numbers, booleans and lists of texts."
            if not self.takes("add", "claims/"):
                return "WSO2 does not allow claims to be added here."
            return self.op("add", "claims/-", {"name": name, "value": value})
        verb = "remove" if value is None else "replace"
        # A list is changed item by item there, and a path cannot tell a name with a slash from two.
        if (
            isinstance(value, list | dict)
            or isinstance(self.claims[name], list)
            or "/" in name
            or "~" in name
        ):
            return "The claim is there already, and WSO2 cannot change one of this kind as a whole."
        if not self.takes(verb, f"claims/{name}"):
            return f"The claim is there already, and WSO2 does not allow to {verb} it."
        return self.op(verb, f"claims/{name}", value)


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str | bool | int | float)


def _choose(name: str) -> Any:
    def choose(payload: Payload) -> str:
        given = check_type(payload, _TYPES[name])
        machine = name == _ACCESS and given.object("request").text("grantType") == _MACHINE
        return "credentials-exchange" if machine else "post-login"

    return choose


def _event(name: str, token_name: str) -> Any:
    def event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
        made = begun(payload, name, trigger, defaults, tenant)
        token = _Token(payload, token_name)
        given = Reading(payload).object("event")
        scopes = given.object("request").texts("scopes") or token.scopes
        audience = token.claims.get("aud")
        audiences = (
            [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        )
        if trigger == "credentials-exchange":
            made["accessToken"] = {"customClaims": {}, "scope": token.scopes}
            made["resource_server"] = {"identifier": next((a for a in audiences if isinstance(a, str)), "")}
            made["transaction"] = {"requested_scopes": scopes}
            made["request"].pop("query")
            return made
        grant = given.object("request").text("grantType") or ""
        made |= login_parts(_PROTOCOLS.get(grant, "oidc-basic-profile"))
        made["transaction"]["requested_scopes"] = scopes
        roles = token.claims.get("roles")
        made["authorization"]["roles"] = (
            [r for r in roles if isinstance(r, str)] if isinstance(roles, list) else []
        )
        partner = given.object("user").text("federatedIdP")
        if partner:
            made["connection"] |= {"id": partner, "name": partner, "strategy": partner}
        made["user"] = _user(given, token.claims)
        return made

    return event


def _user(given: Reading, claims: Mapping[str, Any]) -> dict[str, Any]:
    """Of the claims that the application has asked for; WSO2 sends no others."""
    user = given.object("user")
    texts = {name: value for name, value in claims.items() if isinstance(value, str) and value}
    verified = claims.get("email_verified")
    return profile(
        user.text("id") or texts.get("sub") or user.needed("id"),
        email=texts.get("email"),
        email_verified=verified is True or verified == "true",
        name=texts.get("name"),
        given_name=texts.get("given_name"),
        family_name=texts.get("family_name"),
        nickname=texts.get("nickname"),
        picture=texts.get("picture"),
        username=texts.get("username") or texts.get("preferred_username"),
        phone_number=texts.get("phone_number"),
    )


def _claims_of(kind: Effect, effects: Effects) -> Mapping[str, Any]:
    is_access = kind is Effect.ACCESS_TOKEN_CLAIMS
    return effects.access_token_claims if is_access else effects.id_token_claims


def _scope_changes(token: _Token, effects: Effects) -> tuple[list[str], list[int]]:
    """Scopes to add, and where the ones to remove are, the last one first: their places stay right whether
    WSO2 counts before or between the changes."""
    if effects.target_scopes is None:
        wanted = [scope for scope in token.scopes if scope not in effects.scopes_removed]
        wanted += [scope for scope in effects.scopes_added if scope not in wanted]
    else:
        wanted = list(effects.target_scopes)
    added = [scope for scope in dict.fromkeys(wanted) if scope not in token.scopes]
    removed = [index for index, scope in enumerate(token.scopes) if scope not in wanted]
    return added, removed[::-1]


def _operations(payload: Payload, effects: Effects, token_name: str, kind: Effect) -> list[_Operation]:
    token = _Token(payload, token_name)
    made = [token.claim(name, value) for name, value in _claims_of(kind, effects).items()]
    found = [item for item in made if isinstance(item, dict)]
    if kind is Effect.ACCESS_TOKEN_CLAIMS:
        added, removed = _scope_changes(token, effects)
        if token.takes("remove", "scopes/"):
            found += [token.op("remove", f"scopes/{index}") for index in removed]
        if token.takes("add", "scopes/"):
            found += [token.op("add", "scopes/-", scope) for scope in added]
    return found


def _losses(payload: Payload, effects: Effects, token_name: str, kind: Effect) -> Iterator[Dropped]:
    token = _Token(payload, token_name)
    for name, value in _claims_of(kind, effects).items():
        why = token.claim(name, value)
        if isinstance(why, str):
            yield Dropped(kind, name, why)
    if kind is Effect.ACCESS_TOKEN_CLAIMS:
        added, removed = _scope_changes(token, effects)
        names: tuple[tuple[str, Sequence[str]], ...] = (
            ("add", added),
            ("remove", [token.scopes[index] for index in removed]),
        )
        for verb, scopes in names:
            if not token.takes(verb, "scopes/"):
                for scope in scopes:
                    yield Dropped(Effect.SCOPES, scope, f"WSO2 does not allow to {verb} scopes here.")


def _hook(name: str, summary: str, token: str, kind: Effect, elsewhere: Effect, *triggers: str) -> Hook:
    def body(payload: Payload, effects: Effects) -> dict[str, Any]:
        return {"operations": _operations(payload, effects, token, kind)}

    def losses(payload: Payload, effects: Effects) -> list[Dropped]:
        return list(_losses(payload, effects, token, kind))

    # No `key`: a client may choose `requestId` (the correlation id), and with it an answer of before.
    return Hook(
        name=name,
        summary=summary,
        triggers=triggers,
        choose=_choose(name),
        event=_event(name, token),
        carries=frozenset({kind, Effect.SCOPES} if kind is Effect.ACCESS_TOKEN_CLAIMS else {kind}),
        elsewhere=frozenset(
            {elsewhere} if kind is Effect.ACCESS_TOKEN_CLAIMS else {elsewhere, Effect.SCOPES}
        ),
        losses=losses,
        body=body,
        limit_ms=LIMIT_MS,
        budget_ms=BUDGET_MS,
        example=f"{name}.json",
    )


TOKENS: Final = (
    _hook(
        _ACCESS,
        "Before an access token in the form of a JWT is made, for a user or an application.",
        "accessToken",
        Effect.ACCESS_TOKEN_CLAIMS,
        Effect.ID_TOKEN_CLAIMS,
        "post-login",
        "credentials-exchange",
    ),
    _hook(
        _ID,
        "Before an ID token is made.",
        "idToken",
        Effect.ID_TOKEN_CLAIMS,
        Effect.ACCESS_TOKEN_CLAIMS,
        "post-login",
    ),
)
