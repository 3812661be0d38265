"""What the events of GoTrue's hooks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runner.hooks.events import Reading, base_event, profile, request_of
from runner.hooks.model import Defaults, Incoming, Payload, RefusedError

PROVIDER: Final = "supabase"
LIMIT_MS: Final = 5_000
"""For all tries of a hook together."""
BUDGET_MS: Final = 3_500
"""Leaves time for one more try after a connection that broke at once: GoTrue waits for 2 s before it."""
MESSAGE_BUDGET_MS: Final = 4_000
_NEVER: Final = "0001-01-01T00:00:00Z"
"""Go's zero time, of a user who is not stored yet."""


def begin(payload: Payload, hook: str, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    """The event with its request. Raises `RefusedError` for the payload of another hook."""
    metadata = Reading(payload).object("metadata")
    named = metadata.text("name")
    if named not in (None, hook):
        raise RefusedError(422, f"The payload is of the hook {named[:64]}, and not of {hook}.")
    event = base_event(PROVIDER, hook, trigger, tenant, defaults, payload)
    event["request"] = request_of(metadata.text("ip_address") or "")
    return event


def key(payload: Payload, _: Incoming) -> str | None:
    """Drawn once for all tries; `webhook-id` is another for each."""
    return Reading(payload).object("metadata").text("uuid")


def user_of(user: Reading) -> dict[str, Any]:
    """A user as GoTrue writes it. Raises `RefusedError`."""
    confirmed = user.text("email_confirmed_at") or user.text("confirmed_at")
    return profile(
        user.needed("id"),
        email_verified=confirmed is not None and user.text("email") is not None,
        phone_verified=user.text("phone_confirmed_at") is not None,
        created_at=_time(user, "created_at"),
        updated_at=_time(user, "updated_at"),
        identities=[_identity(item) for item in user.objects("identities")],
        **names_of(user),
    )


def names_of(user: Reading) -> dict[str, Any]:
    """What a user and a token's claims alike have; None for what is missing."""
    said = user.mapping("user_metadata")
    return {
        "email": user.text("email"),
        "phone_number": phone(user.text("phone")),
        "name": _said(said, "full_name", "name"),
        "nickname": _said(said, "preferred_username", "user_name"),
        "picture": _said(said, "avatar_url", "picture"),
        "user_metadata": dict(said),
        "app_metadata": dict(user.mapping("app_metadata")),
    }


def phone(number: str | None) -> str | None:
    """E.164: GoTrue leaves out the plus sign."""
    return f"+{number}" if number and number.isdecimal() else number


def _said(metadata: Mapping[str, Any], *names: str) -> str | None:
    """The first text. Users write this themselves: what is no text is no fault of the request."""
    found = (metadata.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)


def _time(user: Reading, name: str) -> str | None:
    found = user.text(name)
    return None if found == _NEVER else found


def _identity(identity: Reading) -> dict[str, Any]:
    provider = identity.text("provider")
    found = {
        "connection": provider,
        "provider": provider,
        "user_id": identity.text("id"),
        "isSocial": None if provider is None else provider not in ("email", "phone"),
    }
    return {name: value for name, value in found.items() if value is not None}
