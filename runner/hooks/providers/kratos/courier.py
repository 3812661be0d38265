"""The courier of Kratos, which has messages delivered over HTTP."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from runner.hooks.events import Reading, base_event, email_message, phone_message
from runner.hooks.model import Defaults, Hook, Payload
from runner.hooks.providers.kratos.identity import PROVIDER, stored_user

_LIMIT_MS: Final = 10_000
_BUDGET_MS: Final = 8_000
_PHONE_TYPES: Final = {
    "verification_code_valid": "otp_verify",
    "login_code_valid": "otp_verify",
    "registration_code_valid": "otp_verify",
    "recovery_code_valid": "change_password",
}
_EMAIL_TYPES: Final = {
    "verification_valid": "verify_email",
    "verification_code_valid": "verify_email_by_code",
    "recovery_valid": "reset_email",
    "recovery_code_valid": "reset_email_by_code",
    "login_code_valid": "verification_code",
    "registration_code_valid": "verification_code",
}
_CODES: Final = ("login_code", "registration_code", "recovery_code", "verification_code")
_FROM: Final = "no-reply@kratos.invalid"
"""Kratos sends no sender over HTTP: the Action knows its own."""
_LOCALE: Final = "en"
"""Kratos sends none: texts are in the language of its templates."""


def _parts(
    hook: str, payload: Payload, trigger: str, defaults: Defaults, tenant: str
) -> tuple[dict[str, Any], Reading, Reading]:
    given = Reading(payload)
    event = base_event(PROVIDER, hook, trigger, tenant, defaults, payload)
    data = given.object("template_data")
    event["user"] = stored_user(data.object("identity"), "unknown")
    return event, given, data


def _sms(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, given, data = _parts("sms", payload, trigger, defaults, tenant)
    event["request"].pop("query")
    text, kind = given.needed("body"), given.text("template_type") or "otp_verify"
    code = next((found for found in map(data.text, _CODES) if found), None)
    event["notification"] = phone_message(
        _PHONE_TYPES.get(kind, kind), given.needed("recipient"), text, _LOCALE, code=code
    )
    return event


def _email(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, given, _ = _parts("email", payload, trigger, defaults, tenant)
    event["request"] = {"query": {}}
    text, kind = given.text("body") or "", given.text("template_type") or "verification_code"
    event["notification"] = email_message(
        _EMAIL_TYPES.get(kind, kind),
        _FROM,
        given.needed("recipient"),
        given.text("subject") or "",
        given.text("html_body") or f"<pre>{escape(text)}</pre>",
        text,
        _LOCALE,
    )
    return event


COURIER: Final = tuple(
    Hook(
        name=name,
        summary=summary,
        triggers=(trigger,),
        event=event,
        limit_ms=_LIMIT_MS,
        budget_ms=_BUDGET_MS,
        example=f"{name}.json",
    )
    for name, summary, trigger, event in (
        ("sms", "A text message is to be delivered (courier.channels).", "custom-phone-provider", _sms),
        ("email", "An e-mail is to be delivered (courier.http).", "custom-email-provider", _email),
    )
)
