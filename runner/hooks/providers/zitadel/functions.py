"""Functions: claims of tokens, user info and SAML responses, on every login and refresh."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading, base_event, login_parts, profile
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from triggers import Effects

PROVIDER: Final = "zitadel"
LIMIT_MS: Final = 10_000
"""ZITADEL's own default for a target, whose time may be set to 270 s: 10 s are what the guide has."""
BUDGET_MS: Final = 8_000
_RESERVED: Final = "urn:zitadel:iam"
_BASIC: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
_MANAGED: Final = frozenset(
    ("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "azp", "client_id"),
)
"""Claims that ZITADEL sets before it asks; what is there is not overwritten."""


def _choose(payload: Payload) -> str:
    return "credentials-exchange" if "machine" in Reading(payload).object("user") else "post-login"


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    name = (given.text("function") or "").rpartition("/")[2]
    event = base_event(PROVIDER, name, trigger, tenant, defaults, payload)
    client_id = given.object("application").text("client_id")
    if client_id is not None:
        event["client"]["client_id"] = client_id
    org = given.object("org")
    if org:
        event["organization"] = {
            "id": org.needed("id"),
            "name": org.text("name") or org.needed("id"),
            "display_name": org.text("name") or org.needed("id"),
            "metadata": {"primary_domain": org.text("primary_domain") or ""},
        }
    if trigger == "credentials-exchange":
        event["accessToken"] = {"customClaims": {}, "scope": []}
        event["resource_server"] = {"identifier": ""}
        event["transaction"] = {"requested_scopes": []}
        event["request"].pop("query")
        return event
    event |= login_parts("samlp" if name == "presamlresponse" else "oidc-basic-profile")
    roles = [role for grant in given.objects("user_grants") for role in grant.texts("roles")]
    event["authorization"]["roles"] = list(dict.fromkeys(roles))
    event["user"] = _user(given)
    return event


def _user(given: Reading) -> dict[str, Any]:
    user, info = given.object("user"), given.object("userinfo")
    human = user.object("human")
    verified = human.flag("is_email_verified")
    return profile(
        user.text("id") or info.needed("sub"),
        email=human.text("email") or info.text("email"),
        email_verified=bool(info.flag("email_verified") if verified is None else verified),
        name=human.text("display_name") or info.text("name"),
        given_name=human.text("first_name") or info.text("given_name"),
        family_name=human.text("last_name") or info.text("family_name"),
        nickname=human.text("nick_name") or info.text("nickname"),
        picture=info.text("picture"),
        username=user.text("preferred_login_name") or user.text("username"),
        phone_number=human.text("phone"),
        phone_verified=human.flag("is_phone_verified"),
        created_at=user.text("creation_date"),
        updated_at=user.text("change_date"),
        user_metadata=dict(_metadata(given)),
    )


def _metadata(given: Reading) -> Iterator[tuple[str, Any]]:
    """Texts, and what `metadata_value` wrote of objects and lists."""
    for entry in given.objects("user_metadata"):
        raw = entry.text("value") or ""
        try:
            text = base64.b64decode(raw, validate=True).decode()
        except (binascii.Error, ValueError):
            raise RefusedError(400, "The payload has metadata that is not text in base64.") from None
        yield entry.needed("key"), _structured(text)


def _structured(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            return text
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def metadata_value(value: Any) -> str:
    """A value of metadata as ZITADEL keeps it: bytes in base64, here of a text or of JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def metadata_entries(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """Metadata as ZITADEL takes it; nothing can be removed."""
    return [
        {"key": key, "value": metadata_value(value)} for key, value in metadata.items() if value is not None
    ]


def metadata_losses(effects: Effects) -> Iterator[Dropped]:
    """Removals."""
    for key, value in effects.user_metadata.items():
        if value is None:
            yield Dropped(Effect.USER_METADATA, key, "ZITADEL removes no metadata from here.")


def _claims(kind: Effect, effects: Effects) -> Mapping[str, Any]:
    is_access = kind is Effect.ACCESS_TOKEN_CLAIMS
    return effects.access_token_claims if is_access else effects.id_token_claims


def _present(payload: Payload) -> frozenset[str]:
    return _MANAGED | frozenset(Reading(payload).mapping("userinfo"))


def _taken(kind: Effect, payload: Payload, effects: Effects) -> dict[str, Any]:
    present = _present(payload)
    return {
        name: value
        for name, value in _claims(kind, effects).items()
        if not name.startswith(_RESERVED) and name not in present
    }


def _claims_hook(name: str, summary: str, kind: Effect, *triggers: str) -> Hook:
    other = {Effect.ACCESS_TOKEN_CLAIMS: Effect.ID_TOKEN_CLAIMS}.get(kind, Effect.ACCESS_TOKEN_CLAIMS)

    def body(payload: Payload, effects: Effects) -> dict[str, Any]:
        claims = [{"key": key, "value": value} for key, value in _taken(kind, payload, effects).items()]
        return _answer(append_claims=claims, effects=effects)

    def losses(payload: Payload, effects: Effects) -> list[Dropped]:
        found = list(metadata_losses(effects))
        taken, info = _taken(kind, payload, effects), Reading(payload).mapping("userinfo")
        for claim, value in _claims(kind, effects).items():
            if claim in taken or (claim in info and info[claim] == value):
                continue
            why = "reserved" if claim.startswith(_RESERVED) else "there already, and ZITADEL keeps its own"
            found.append(Dropped(kind, claim, f"The claim is {why}."))
        return found

    return Hook(
        name=name,
        summary=summary,
        triggers=triggers,
        choose=_choose if len(triggers) > 1 else lambda payload: "post-login" if _is_human(payload) else None,
        event=_event,
        carries=frozenset({kind, Effect.USER_METADATA}),
        elsewhere=frozenset({other, Effect.SAML_ATTRIBUTES}),
        losses=losses,
        body=body,
        limit_ms=LIMIT_MS,
        budget_ms=BUDGET_MS,
        example=f"{name}.json",
    )


def _is_human(payload: Payload) -> bool:
    return "machine" not in Reading(payload).object("user")


def _answer(*, effects: Effects, **lists: list[Any]) -> dict[str, Any]:
    found = {**lists, "set_user_metadata": metadata_entries(effects.user_metadata)}
    return {name: items for name, items in found.items() if items}


def _attributes(_payload: Payload, effects: Effects) -> dict[str, Any]:
    attributes = [
        {"name": name, "name_format": _BASIC, "value": _texts(value)}
        for name, value in effects.saml.attributes.items()
        if value is not None
    ]
    return _answer(append_attribute=attributes, effects=effects)


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def _attribute_losses(_payload: Payload, effects: Effects) -> list[Dropped]:
    removed = [name for name, value in effects.saml.attributes.items() if value is None]
    why = "ZITADEL removes no attribute."
    return [*metadata_losses(effects), *(Dropped(Effect.SAML_ATTRIBUTES, name, why) for name in removed)]


FUNCTIONS: Final = (
    _claims_hook(
        "preaccesstoken",
        "Before an access token in the form of a JWT is made, for a user or a machine.",
        Effect.ACCESS_TOKEN_CLAIMS,
        "post-login",
        "credentials-exchange",
    ),
    _claims_hook(
        "preuserinfo",
        "Before an ID token, user info or an introspection is answered.",
        Effect.ID_TOKEN_CLAIMS,
        "post-login",
    ),
    Hook(
        name="presamlresponse",
        summary="Before a SAML response is made.",
        triggers=("post-login",),
        event=_event,
        carries=frozenset({Effect.SAML_ATTRIBUTES, Effect.USER_METADATA}),
        elsewhere=frozenset({Effect.ID_TOKEN_CLAIMS, Effect.ACCESS_TOKEN_CLAIMS}),
        losses=_attribute_losses,
        body=_attributes,
        limit_ms=LIMIT_MS,
        budget_ms=BUDGET_MS,
        example="presamlresponse.json",
    ),
)
