"""The hooks after a password or a second factor was checked, right or wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from runner.hooks.events import Reading
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.supabase.parts import BUDGET_MS, LIMIT_MS, begin, key

_PASSWORD: Final = "password-verification"  # noqa: S105 - a hook's name
_FACTOR: Final = "mfa-verification"
_METHOD: Final = {_PASSWORD: "pwd", _FACTOR: "mfa"}
REFUSALS: Final = {_PASSWORD: "Invalid login credentials", _FACTOR: "The code is wrong or has expired"}
"""What the user sees of a refusal by hook: what a wrong credential gets. The Action's reason stays here."""


def _event_of(hook: str) -> Callable[[Payload, str, Defaults, str], dict[str, Any]]:
    def event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
        given = Reading(payload)
        made = begin(payload, hook, trigger, defaults, tenant)
        valid, user_id = given.flag("valid"), given.needed("user_id")
        if valid is None:
            raise RefusedError(400, "The payload has no $.valid.")
        made["authentication"] = {"methods": [{"name": _METHOD[hook]}]}
        made["credential"] = {"identifier": user_id, "valid": valid}
        made["user"] = {"user_id": user_id}
        return made

    return event


ATTEMPTS: Final = tuple(
    Hook(
        name=name,
        summary=summary,
        triggers=("post-credential-validation",),
        event=_event_of(name),
        body=lambda _payload, _effects: {"decision": "continue"},
        key=key,
        limit_ms=LIMIT_MS,
        budget_ms=BUDGET_MS,
        example=f"{name}.json",
    )
    for name, summary in (
        (_PASSWORD, "After a password was checked, right or wrong."),
        (_FACTOR, "After a second factor was checked, right or wrong."),
    )
)
