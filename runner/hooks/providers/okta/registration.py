"""The hook before a user registers itself, or adds to its profile at a later login."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.effects import Dropped, Effect
from runner.hooks.events import Reading
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.okta.parts import BUDGET_MS, LIMIT_MS, begin, key, names_of
from triggers import Effects

_NAME: Final = "registration"
_KIND: Final = "com.okta.user.pre-registration"
_PROGRESSIVE: Final = "progressive.profile"
_COMMANDS: Final = {
    True: "com.okta.user.progressive.profile.update",
    False: "com.okta.user.profile.update",
}
_OWN: Final = frozenset({"firstName", "lastName", "login", "email", "displayName", "mobilePhone"})
"""Attributes that have members of their own in `event.user`; the others are its `user_metadata`."""


def _is_progressive(payload: Payload) -> bool:
    return Reading(payload).text("requestType") == _PROGRESSIVE


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, data = begin(payload, _NAME, _KIND, trigger, defaults, tenant)
    event["request"].pop("query")
    known = data.object("context").object("user").mapping("profile")
    new = data.mapping("userProfile") or data.mapping("userProfileUpdate")
    if not new:
        raise RefusedError(400, "The payload has no $.data.userProfile.")
    attributes = {**known, **new}
    event["user"] = {
        **names_of(Reading(attributes, "$.data.userProfile")),
        "user_metadata": {name: value for name, value in attributes.items() if name not in _OWN},
        "app_metadata": {},
    }
    return event


def _body(payload: Payload, effects: Effects) -> dict[str, Any]:
    set_now = {name: value for name, value in effects.user_metadata.items() if value is not None}
    if not set_now:
        return {}
    return {"commands": [{"type": _COMMANDS[_is_progressive(payload)], "value": set_now}]}


def _losses(_payload: Payload, effects: Effects) -> list[Dropped]:
    removed = [name for name, value in effects.user_metadata.items() if value is None]
    return [Dropped(Effect.USER_METADATA, name, "Okta removes no attribute here.") for name in removed]


REGISTRATION: Final = Hook(
    name=_NAME,
    summary="Before a user registers itself, or adds to its profile (progressive enrolment).",
    triggers=("pre-user-registration",),
    event=_event,
    carries=frozenset({Effect.USER_METADATA}),
    losses=_losses,
    body=_body,
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
