"""The hook that delivers one-time codes by text message or call."""

from __future__ import annotations

from typing import Any, Final

from runner.hooks.events import phone_message, profile
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.okta.parts import BUDGET_MS, LIMIT_MS, begin, key, names_of
from triggers import Effects

_NAME: Final = "telephony"
_KIND: Final = "com.okta.telephony.provider"
SUCCESSFUL: Final = "SUCCESSFUL"
PENDING: Final = "PENDING"
"""Nobody knows whether it arrived: Okta's own sender does not step in."""
_TYPES: Final = {
    "com.okta.user.telephony.pre-enrollment": "otp_enroll",
    "com.okta.user.telephony.password-reset": "change_password",
    "com.okta.user.telephony.account-unlock": "blocked_account",
}


def action(payload: Payload, status: str) -> dict[str, Any]:
    """What became of a message."""
    found = {"status": status, "provider": "actionbox", "transactionId": str(payload.get("eventId") or "")}
    return {"commands": [{"type": "com.okta.telephony.action", "value": [found]}]}


def _event(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, data = begin(payload, _NAME, _KIND, trigger, defaults, tenant)
    event["request"].pop("query")
    user, message = data.object("userProfile"), data.object("messageProfile")
    event["user"] = profile(user.text("userId") or "unknown", **names_of(user))
    code = message.needed("otpCode")
    kind = _TYPES.get(str(payload.get("requestType")), "otp_verify")
    event["notification"] = phone_message(
        kind,
        message.needed("phoneNumber"),
        message.text("msgTemplate") or f"Your code is {code}",
        message.text("locale") or "en",
        code=code,
        voice=f"Your code is {' '.join(code)}",
        method="voice" if message.text("deliveryChannel") == "CALL" else "text",
    )
    return event


def _body(payload: Payload, _effects: Effects) -> dict[str, Any]:
    return action(payload, SUCCESSFUL)


TELEPHONY: Final = Hook(
    name=_NAME,
    summary="A one-time code is to be delivered by text message or call.",
    triggers=("custom-phone-provider",),
    event=_event,
    body=_body,
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=BUDGET_MS,
    example=f"{_NAME}.json",
)
