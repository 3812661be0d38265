"""What the events of Okta's inline hooks have in common."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.events import Reading, base_event, login_parts, profile, request_of
from runner.hooks.model import Defaults, Incoming, Payload, RefusedError

PROVIDER: Final = "okta"
LIMIT_MS: Final = 3_000
BUDGET_MS: Final = 2_200
"""Okta lets its user go on when no answer comes in time, so more is left than elsewhere."""
_METHODS: Final = {
    "PASSWORD": "pwd",
    "FEDERATED": "federated",
    "SMS": "sms",
    "MULTIFACTOR_AUTHENTICATION": "mfa",
}
"""Okta's names of methods in Auth0's words; others are handed on in lower case."""


def begin(
    payload: Payload, hook: str, kind: str, trigger: str, defaults: Defaults, tenant: str
) -> tuple[dict[str, Any], Reading]:
    """The event with its request, and `data`. Raises `RefusedError` for the payload of another hook."""
    given = Reading(payload)
    named = given.needed("eventType")
    if named != kind:
        raise RefusedError(422, f"The payload is of the type {named[:64]}, and not of {kind}.")
    data = given.object("data")
    event = base_event(PROVIDER, hook, trigger, tenant, defaults, payload)
    event["request"] = request_of(data.object("context").object("request").text("ipAddress") or "")
    return event, data


def key(payload: Payload, _: Incoming) -> str | None:
    """Of the request, and of its one retry."""
    return Reading(payload).text("eventId")


def login(event: dict[str, Any], data: Reading, protocol: str) -> None:
    """What `post-login` needs beside client and request: the user, and how it authenticated."""
    context, claims = data.object("context"), data.object("identity").object("claims")
    user, session = context.object("user"), context.object("session")
    event |= login_parts(protocol)
    event["user"] = profile(
        user.needed("id"),
        email_verified=claims.flag("email_verified") or False,
        **{**names_of(user.object("profile")), **_claimed(claims)},
        last_password_reset=user.text("passwordChanged"),
    )
    at = session.text("createdAt")
    if at is not None:
        names = [_METHODS.get(name, name.lower()) for name in session.texts("amr")]
        event["authentication"]["methods"] = [{"name": name, "timestamp": at} for name in names]


def _claimed(claims: Reading) -> dict[str, str]:
    """What the ID token says of them."""
    found = {name: claims.text(name) for name in ("email", "name", "nickname", "picture")}
    return {name: value for name, value in found.items() if value is not None}


def names_of(profile_: Reading) -> dict[str, str]:
    """Of an Okta profile. `login` is no address: it only looks like one."""
    first, last = profile_.text("firstName"), profile_.text("lastName")
    found = {
        "email": profile_.text("email"),
        "username": profile_.text("login"),
        "given_name": first,
        "family_name": last,
        "name": profile_.text("displayName") or " ".join(part for part in (first, last) if part),
        "phone_number": profile_.text("mobilePhone"),
    }
    return {name: value for name, value in found.items() if value}


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
