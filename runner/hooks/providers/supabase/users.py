"""The hooks before and after a user is created."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.events import Reading
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.supabase.parts import BUDGET_MS, LIMIT_MS, begin, key, names_of, user_of

_BEFORE: Final = "before-user-created"
_AFTER: Final = "after-user-created"


def _user(payload: Payload) -> Reading:
    user = Reading(payload).object("user")
    if not user:
        raise RefusedError(400, "The payload has no $.user.")
    return user


def _before(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event = begin(payload, _BEFORE, trigger, defaults, tenant)
    event["request"].pop("query")
    found = names_of(_user(payload))
    event["user"] = {name: value for name, value in found.items() if value is not None}
    return event


def _after(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event = begin(payload, _AFTER, trigger, defaults, tenant)
    event["user"] = user_of(_user(payload))
    return event


USERS: Final = tuple(
    Hook(
        name=name,
        summary=summary,
        triggers=(trigger,),
        event=event,
        body=lambda _payload, _effects: {},
        key=key,
        limit_ms=LIMIT_MS,
        budget_ms=BUDGET_MS,
        example=f"{name}.json",
    )
    for name, summary, trigger, event in (
        (_BEFORE, "Before a user is created.", "pre-user-registration", _before),
        (_AFTER, "After a user was created.", "post-user-registration", _after),
    )
)
