"""Blocking functions: a user is about to be created, or to sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import UNKNOWN_TIME, Reading, base_event, login_parts, profile, request_of
from runner.hooks.model import Defaults, Hook, Incoming, Payload, RefusedError
from triggers import Effects

PROVIDER: Final = "firebase"
_LIMIT_MS: Final = 7_000
_BUDGET_MS: Final = 5_500
_MAX_CLAIMS: Final = 1_000
"""Characters of both kinds of claims as JSON, as Google's SDK counts them."""
_RESERVED: Final = frozenset(
    name
    for line in (
        "acr amr at_hash aud auth_time azp cnf c_hash exp iat iss jti nbf nonce firebase",
        "sub user_id",  # which the token has of its own, and Google's SDK refuses for custom claims elsewhere
    )
    for name in line.split()
)
_PASSWORD: Final = frozenset({"", "password", "emailLink", "phone", "anonymous", "custom"})
_METHODS: Final = {"password": "pwd", "emailLink": "email", "phone": "sms"}
_MOST_SECONDS: Final = 10**11
"""A time beyond this is one in milliseconds."""
_TOO_LONG: Final = f"Both kinds of claims together would have more than {_MAX_CLAIMS} characters."


def _choose(name: str, trigger: str) -> Any:
    def choose(payload: Payload) -> str:
        kind = Reading(payload).text("event_type") or ""
        if kind.rpartition(".")[2].partition(":")[0] != name:
            raise RefusedError(400, f"The token is not one of {name}: see its event_type.")
        return trigger

    return choose


def _begun(payload: Payload, name: str, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = base_event(PROVIDER, name, trigger, tenant, defaults, payload)
    event["request"] = request_of(
        given.text("ip_address") or "", given.text("user_agent") or "", given.text("locale") or ""
    )
    method = given.text("sign_in_method") or ""
    if method not in _PASSWORD:  # such as google.com: a connection of its own
        event["connection"] |= {"id": method, "name": method, "strategy": method}
    return event


def _create_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event = _begun(payload, "beforeCreate", trigger, defaults, tenant)
    event["request"].pop("query")
    record = Reading(payload).object("user_record")
    found = {
        "email": record.text("email"),
        "name": record.text("display_name"),
        "picture": record.text("photo_url"),
        "phone_number": record.text("phone_number"),
    }
    event["user"] = {key: value for key, value in found.items() if value is not None}
    event["user"] |= {"user_metadata": {}, "app_metadata": dict(record.mapping("custom_claims"))}
    return event


def _sign_in_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event = _begun(payload, "beforeSignIn", trigger, defaults, tenant) | login_parts()
    given = Reading(payload)
    record = given.object("user_record")
    tenant_id = given.text("tenant_id") or record.text("tenant_id")
    if tenant_id:
        event["organization"] = {
            "id": tenant_id,
            "name": tenant_id,
            "display_name": tenant_id,
            "metadata": {},
        }
    times = record.mapping("metadata")
    method = given.text("sign_in_method")
    factor = given.text("sign_in_second_factor")
    ways = [{"name": _METHODS.get(method, "federated")}] if method else []
    ways += [{"name": "mfa", "type": factor}] if factor else []
    at = {"timestamp": UNKNOWN_TIME} | _at("timestamp", times.get("last_sign_in_time"))
    event["authentication"]["methods"] = [way | at for way in ways]
    event["user"] = profile(
        record.text("uid") or given.needed("sub"),
        email=record.text("email"),
        email_verified=bool(record.flag("email_verified")),
        name=record.text("display_name"),
        picture=record.text("photo_url"),
        phone_number=record.text("phone_number"),
        app_metadata=dict(record.mapping("custom_claims")),
        identities=[_identity(item) for item in record.objects("provider_data")],
        **_at("created_at", times.get("creation_time")),
    )
    return event


def _identity(item: Reading) -> dict[str, Any]:
    provider = item.text("provider_id") or "unknown"
    return {
        "connection": provider,
        "provider": provider,
        "user_id": item.text("uid") or "",
        "isSocial": provider not in _PASSWORD,
    }


def _at(name: str, moment: Any) -> dict[str, str]:
    """A time under a name; nothing where there is none. In seconds, but the emulator sends milliseconds."""
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return {}
    try:
        at = datetime.fromtimestamp(moment / 1000 if moment > _MOST_SECONDS else moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise RefusedError(400, "The payload has a time that is none at $.user_record.metadata.") from None
    return {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def _session_claims(effects: Effects) -> dict[str, Any]:
    """Of both tokens of an Action: here is but one. An ID token's claim goes before."""
    both = {**effects.access_token_claims, **effects.id_token_claims}
    return {name: value for name, value in both.items() if name not in _RESERVED}


def _custom_claims(payload: Payload, effects: Effects) -> dict[str, Any] | None:
    """All of the user's, since they are replaced as a whole; None while they do not change."""
    before = dict(Reading(payload).object("user_record").mapping("custom_claims"))
    after = dict(before)
    for name, value in effects.app_metadata.items():
        if name in _RESERVED:
            continue
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    return None if after == before else after


def _length(claims: Mapping[str, Any]) -> int:
    """Characters of the JSON text as JavaScript counts them."""
    text = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitting(payload: Payload, effects: Effects) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Custom claims and session claims that are not too long, the latter beside the former."""
    custom, session = _custom_claims(payload, effects), _session_claims(effects)
    if custom is not None and _length(custom) > _MAX_CLAIMS:
        custom = None
    if _length({**(custom or {}), **session}) > _MAX_CLAIMS:
        session = {}
    return custom, session


def _body(payload: Payload, effects: Effects) -> dict[str, Any]:
    custom, session = _fitting(payload, effects)
    record: dict[str, Any] = {}
    if custom is not None:
        record["customClaims"] = custom
    if session:
        record["sessionClaims"] = session
    return {"userRecord": {**record, "updateMask": ",".join(record)}} if record else {}


def _losses(payload: Payload, effects: Effects) -> Iterator[Dropped]:
    custom, session = _fitting(payload, effects)
    changes = _custom_claims(payload, effects) is not None
    for name in effects.app_metadata:
        if name in _RESERVED:
            yield Dropped(Effect.APP_METADATA, name, "The claim is reserved.")
        elif changes and custom is None:
            yield Dropped(Effect.APP_METADATA, name, _TOO_LONG)
    for kind, claims in (
        (Effect.ID_TOKEN_CLAIMS, effects.id_token_claims),
        (Effect.ACCESS_TOKEN_CLAIMS, effects.access_token_claims),
    ):
        for name, value in claims.items():
            if name in _RESERVED:
                yield Dropped(kind, name, "The claim is reserved.")
            elif name not in session:
                yield Dropped(kind, name, _TOO_LONG)
            elif session[name] != value:
                yield Dropped(kind, name, "There is one token, and the ID token's claim has this name.")


def _all_losses(payload: Payload, effects: Effects) -> list[Dropped]:
    return list(_losses(payload, effects))


def _key(payload: Payload, _: Incoming) -> str | None:
    return Reading(payload).needed("event_id")


def _hook(name: str, summary: str, trigger: str, event: Any, *carries: Effect) -> Hook:
    return Hook(
        name=name,
        summary=summary,
        triggers=(trigger,),
        choose=_choose(name, trigger),
        event=event,
        carries=frozenset({Effect.APP_METADATA, *carries}),
        losses=_all_losses,
        body=_body,
        key=_key,
        limit_ms=_LIMIT_MS,
        budget_ms=_BUDGET_MS,
        example=f"{name}.json",
    )


FUNCTIONS: Final = (
    _hook(
        "beforeCreate",
        "Before a new user is stored.",
        "pre-user-registration",
        _create_event,
    ),
    _hook(
        "beforeSignIn",
        "Before a user who has proven who it is gets a token; after beforeCreate for a new one.",
        "post-login",
        _sign_in_event,
        Effect.ID_TOKEN_CLAIMS,
        Effect.ACCESS_TOKEN_CLAIMS,
    ),
)
