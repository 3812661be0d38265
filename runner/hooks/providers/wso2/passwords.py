"""Pre-update password: a user who has shown by a code who it is sets a new password."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.events import Reading, profile
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.wso2.events import BUDGET_MS, LIMIT_MS, begun, check_type

_NAME: Final = "pre-update-password"
_CLAIMS: Final = "http://wso2.org/claims/"
_MEMBERS: Final = {
    "emailaddress": "email",
    "username": "username",
    "fullname": "name",
    "givenname": "given_name",
    "lastname": "family_name",
    "nickname": "nickname",
    "mobile": "phone_number",
    "created": "created_at",
    "modified": "updated_at",
}


def _choose(payload: Payload) -> str | None:
    """A reset alone: the trigger is for those, and not for changes, invitations and registrations."""
    action = check_type(payload, "PRE_UPDATE_PASSWORD").text("action")
    return "password-reset-post-challenge" if action == "RESET" else None


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event = begun(payload, _NAME, trigger, defaults, tenant)
    event |= {
        "authentication": {"methods": []},
        "authorization": {"roles": []},
        "stats": {"logins_count": 0},
        "transaction": {"locale": "", "ui_locales": []},
    }
    user = Reading(payload).object("event").object("user")
    found = {}
    for item in user.objects("claims"):
        name = _MEMBERS.get((item.text("uri") or "").removeprefix(_CLAIMS))
        value = item.value("value")
        if name and isinstance(value, str) and value:
            found[name] = value
    event["user"] = profile(user.needed("id"), **found)
    return event


PASSWORD: Final = Hook(
    name=_NAME,
    summary="Before the password of a user who has forgotten it is set; other changes of passwords pass.",
    triggers=("password-reset-post-challenge",),
    choose=_choose,
    event=_event,
    body=lambda _payload, _effects: {},
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
