"""Web hooks of Kratos's self-service flows: logins, registrations, settings and recoveries."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading, base_event, login_parts
from runner.hooks.model import Defaults, Hook, Incoming, Payload, RefusedError
from runner.hooks.providers.kratos import identity as parts
from runner.hooks.providers.ory import BUDGET_MS, LIMIT_MS
from triggers import Effects

_TRIGGER_ID: Final = "ory-webhook-trigger-id"


def _begun(
    hook: str, payload: Payload, trigger: str, defaults: Defaults, tenant: str
) -> tuple[dict[str, Any], Reading, Reading]:
    """The event's common members, the payload, and its identity."""
    given = Reading(payload)
    event = base_event(parts.PROVIDER, hook, trigger, tenant, defaults, payload)
    event["request"] = parts.request(given)
    event["connection"] |= parts.connection(given)
    if "client" in event:
        event["client"] |= parts.client(given)
    identity = given.object("identity")
    if not identity:  # as in hooks before a flow, which know nobody
        raise RefusedError(400, "The payload has no $.identity.")
    return event, given, identity


def _login(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, given, identity = _begun("login", payload, trigger, defaults, tenant)
    event |= login_parts() | parts.organization(identity)
    event["transaction"]["requested_scopes"] = (
        given.object("flow").object("oauth2_login_request").texts("requested_scope")
    )
    event["authentication"]["methods"] = parts.methods(given)
    event["user"] = parts.stored_user(identity)
    return event


def _registration(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, _, identity = _begun("registration", payload, trigger, defaults, tenant)
    del event["request"]["query"]
    event["user"] = parts.new_user(identity)
    return event


def _registered(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, _, identity = _begun("registered", payload, trigger, defaults, tenant)
    event["user"] = parts.stored_user(identity)
    return event


def _settings(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, _, identity = _begun("settings", payload, trigger, defaults, tenant)
    event["user"] = parts.changed_user(identity)
    return event


def _of_settings(payload: Payload) -> str | None:
    """A hook of all methods is called for profiles and second factors, too."""
    method = Reading(payload).object("flow").text("active")
    return "post-change-password" if method in (None, "password") else None


def _recovery(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, _, identity = _begun("recovery", payload, trigger, defaults, tenant)
    event |= parts.organization(identity)
    event["authentication"] = {"methods": []}
    event["authorization"] = {"roles": []}
    event["stats"] = {"logins_count": 0}
    event["transaction"] = {"locale": event["request"].get("language", "en"), "ui_locales": []}
    event["user"] = parts.stored_user(identity)
    return event


def _metadata(payload: Payload, effects: Effects) -> dict[str, Any] | None:
    """The identity as far as it changes: Kratos replaces `metadata_public` as a whole, so what is there stays
    in it. Nothing else is sent, above all no `metadata_admin`, which is not known here."""
    if not effects.app_metadata and not effects.user_metadata:
        return None
    app, user = parts.metadata_of(Reading(payload).object("identity"))
    set_now = {key: value for key, value in effects.app_metadata.items() if key != parts.USER_METADATA}
    app, user = _laid(app, set_now), _laid(user, effects.user_metadata)
    return {"identity": {"metadata_public": {**app, **({parts.USER_METADATA: user} if user else {})}}}


def _laid(present: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """None removes."""
    return {key: value for key, value in {**present, **changes}.items() if value is not None}


def _metadata_losses(_payload: Payload, effects: Effects) -> list[Dropped]:
    if parts.USER_METADATA not in effects.app_metadata:
        return []
    why = "metadata_public holds the user_metadata under this key."
    return [Dropped(Effect.APP_METADATA, parts.USER_METADATA, why)]


def _key(_payload: Payload, incoming: Incoming) -> str | None:
    return incoming.header(_TRIGGER_ID) or None


LOGIN: Final = Hook(
    name="login",
    summary="After a login, before its session is saved (login.after, response.parse).",
    triggers=("post-login",),
    event=_login,
    key=_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="login.json",
)
REGISTRATION: Final = Hook(
    name="registration",
    summary="Before a new identity is saved (registration.after, response.parse).",
    triggers=("pre-user-registration",),
    event=_registration,
    carries=frozenset({Effect.USER_METADATA, Effect.APP_METADATA}),
    losses=_metadata_losses,
    body=_metadata,
    key=_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="registration.json",
)
REGISTERED: Final = Hook(
    name="registered",
    summary="After a new identity was saved (registration.after, response.ignore).",
    triggers=("post-user-registration",),
    event=_registered,
    key=_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="registered.json",
)
SETTINGS: Final = Hook(
    name="settings",
    summary="After a password was changed (settings.after.password, response.ignore).",
    triggers=("post-change-password",),
    choose=_of_settings,
    event=_settings,
    key=_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="settings.json",
)
RECOVERY: Final = Hook(
    name="recovery",
    summary="After a recovery code or link was right (recovery.after, response.parse).",
    triggers=("password-reset-post-challenge",),
    event=_recovery,
    key=_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="recovery.json",
)
IGNORED: Final = frozenset({REGISTERED.name, SETTINGS.name})
"""Hooks whose answers Kratos does not wait for."""
