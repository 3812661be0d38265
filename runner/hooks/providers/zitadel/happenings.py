"""Requests to ZITADEL's API before it carries them out, and events after they happened."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading, base_event, profile, request_of, without_secrets
from runner.hooks.model import Defaults, Hook, Incoming, Payload, RefusedError
from runner.hooks.providers.zitadel.functions import (
    BUDGET_MS,
    LIMIT_MS,
    PROVIDER,
    metadata_entries,
    metadata_losses,
)
from runner.http.json_body import BodyError, parse_body
from triggers import Effects

_SIGNUPS: Final = ("AddHumanUser", "CreateUser")
_REGISTERED: Final = ("user.human.added", "user.human.selfregistered")
_CHANGED: Final = "user.human.password.changed"


def _request_trigger(payload: Payload) -> str | None:
    """A method that creates no human has nothing to do with us."""
    given = Reading(payload)
    method = (given.text("fullMethod") or "").rpartition("/")[2]
    if method not in _SIGNUPS or (method == "CreateUser" and "human" not in given.object("request")):
        return None
    return "pre-user-registration"


def _request_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = base_event(PROVIDER, "request", trigger, tenant, defaults, payload)
    event["hook"]["payload"].pop("headers", None)
    event["request"].pop("query")
    request = given.object("request")
    human = request.object("human") if "human" in request else request
    name, email, phone = human.object("profile"), human.object("email"), human.object("phone")
    found = {
        "email": email.text("email"),
        "username": request.text("username"),
        "name": name.text("displayName"),
        "given_name": name.text("givenName"),
        "family_name": name.text("familyName"),
        "nickname": name.text("nickName"),
        "phone_number": phone.text("phone"),
    }
    event["user"] = {key: value for key, value in found.items() if value is not None}
    event["user"] |= {"user_metadata": {}, "app_metadata": {}}
    return event


def _request_body(payload: Payload, effects: Effects) -> Any:
    """The inner message as it goes on; nothing when it is unchanged. Both methods have the metadata at its
    top."""
    entries = metadata_entries(effects.user_metadata)
    if not entries:
        return None
    request = dict(Reading(payload).mapping("request"))
    set_now = {entry["key"] for entry in entries}
    before = [item for item in request.get("metadata") or [] if item.get("key") not in set_now]
    return {**request, "metadata": [*before, *entries]}


def _request_losses(_payload: Payload, effects: Effects) -> list[Dropped]:
    return list(metadata_losses(effects))


def _event_trigger(payload: Payload) -> str | None:
    kind = Reading(payload).text("event_type") or ""
    if kind in _REGISTERED:
        return "post-user-registration"
    return "post-change-password" if kind == _CHANGED else None


def _event_event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = base_event(PROVIDER, "event", trigger, tenant, defaults, payload)
    event["request"] = request_of()
    members = _inner(payload)
    event["hook"]["payload"]["event_payload"] = without_secrets(members)
    inner = Reading(members, "$.event_payload")
    at = given.text("created_at")
    user_id = given.needed("aggregateID")
    if trigger == "post-change-password":
        event["user"] = {"user_id": user_id, **({"last_password_reset": at} if at else {})}
        return event
    event["user"] = profile(
        user_id,
        email=inner.text("email"),
        name=inner.text("displayName"),
        given_name=inner.text("firstName"),
        family_name=inner.text("lastName"),
        nickname=inner.text("nickName"),
        username=inner.text("userName"),
        phone_number=inner.text("phone"),
        created_at=at,
        updated_at=at,
    )
    return event


def _inner(payload: Payload) -> dict[str, Any]:
    """The event's own members: JSON, in older builds as bytes in base64."""
    found = payload.get("event_payload")
    if isinstance(found, str) and found:
        try:
            found = parse_body(base64.b64decode(found, validate=True))
        except (binascii.Error, ValueError, BodyError):
            raise RefusedError(400, "The payload's event_payload is no JSON in base64.") from None
    if found in (None, ""):
        return {}
    if not isinstance(found, dict):
        raise RefusedError(400, "The payload has not an object at $.event_payload.")
    return found


def _event_key(payload: Payload, _: Incoming) -> str | None:
    sequence = payload.get("sequence")
    parts = [payload.get("instanceID"), payload.get("aggregateID"), sequence, payload.get("event_type")]
    return None if sequence is None else "/".join(str(part) for part in parts)


REQUEST: Final = Hook(
    name="request",
    summary="Before ZITADEL creates a human user (AddHumanUser, CreateUser of the user service v2).",
    triggers=("pre-user-registration",),
    choose=_request_trigger,
    event=_request_event,
    carries=frozenset({Effect.USER_METADATA}),
    losses=_request_losses,
    body=_request_body,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="request.json",
)
EVENT: Final = Hook(
    name="event",
    summary="After a human user was added or registered, or its password changed.",
    triggers=("post-user-registration", "post-change-password"),
    choose=_event_trigger,
    event=_event_event,
    key=_event_key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example="event.json",
)
