"""HTTP providers of SMS and e-mail, which ZITADEL calls to have a message delivered."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from runner.hooks.events import Reading, base_event, email_message, phone_message, profile
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.zitadel.functions import PROVIDER

_LIMIT_MS: Final = 5_000
_BUDGET_MS: Final = 4_000
_PHONE_TYPES: Final = {
    "user.human.phone.code.added": "otp_verify",
    "user.human.mfa.otp.sms.code.added": "otp_verify",
    "session.otp.sms.challenged": "otp_verify",
    "user.human.password.code.added": "change_password",
}
_EMAIL_TYPES: Final = {
    "user.human.email.code.added": "verify_email_by_code",
    "user.human.initialization.code.added": "welcome_email",
    "user.human.invite.code.added": "organization_invitation",
    "user.human.password.code.added": "reset_email_by_code",
    "user.human.mfa.otp.email.code.added": "mfa_oob_code",
    "session.otp.email.challenged": "mfa_oob_code",
}
_FROM: Final = "no-reply@zitadel.invalid"
"""ZITADEL sends no sender to HTTP providers: the Action knows its own."""


class _Arguments:
    """`args`, whose names builds write with a capital or without."""

    def __init__(self, given: Reading, mapping: Any) -> None:
        self._given = given
        self._names = {str(name).lower(): name for name in mapping}

    def text(self, name: str) -> str | None:
        found = self._names.get(name.lower())
        return None if found is None else self._given.text(found)


def _parts(
    payload: Payload, trigger: str, defaults: Defaults, tenant: str
) -> tuple[dict[str, Any], Reading, Reading, _Arguments]:
    given = Reading(payload)
    context, template = given.object("contextInfo"), given.object("templateData")
    arguments = _Arguments(given.object("args"), given.mapping("args"))
    name = "sms" if trigger == "custom-phone-provider" else "email"
    event = base_event(PROVIDER, name, trigger, tenant, defaults, payload)
    event["user"] = profile(
        arguments.text("userID") or context.text("userID") or "unknown",
        email=arguments.text("verifiedEmail") or arguments.text("lastEmail"),
        email_verified=arguments.text("verifiedEmail") is not None,
        name=arguments.text("displayName"),
        given_name=arguments.text("firstName"),
        family_name=arguments.text("lastName"),
        nickname=arguments.text("nickName"),
        username=arguments.text("preferredLoginName") or arguments.text("userName"),
        phone_number=arguments.text("verifiedPhone") or arguments.text("lastPhone"),
        phone_verified=arguments.text("verifiedPhone") is not None,
    )
    return event, context, template, arguments


def _locale(arguments: _Arguments) -> str:
    return arguments.text("preferredLanguage") or "en"


def _sms(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, context, template, arguments = _parts(payload, trigger, defaults, tenant)
    event["request"].pop("query")
    text = template.text("text")
    if text is None:
        raise RefusedError(400, "The payload has no $.templateData.text.")
    code = arguments.text("code") or arguments.text("otp")
    kind = context.text("eventType") or ""
    event["notification"] = phone_message(
        _PHONE_TYPES.get(kind, kind or "otp_verify"),
        context.needed("recipientPhoneNumber"),
        text,
        _locale(arguments),
        code=code,
    )
    return event


def _email(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    event, context, template, arguments = _parts(payload, trigger, defaults, tenant)
    event["request"] = {"query": {}}
    text = "\n\n".join(part for part in (template.text(name) for name in ("greeting", "text", "url")) if part)
    kind = context.text("eventType") or ""
    event["notification"] = email_message(
        _EMAIL_TYPES.get(kind, kind or "verification_code"),
        _FROM,
        context.needed("recipientEmailAddress"),
        template.text("subject") or template.text("title") or "",
        _html(template),
        text,
        _locale(arguments),
    )
    return event


def _html(template: Reading) -> str:
    """A plain page of the texts: ZITADEL sends the parts of its template, and not the page."""
    lines = [f"<p>{escape(part)}</p>" for part in (template.text("greeting"), template.text("text")) if part]
    url = template.text("url")
    if url is not None and url.startswith(("https://", "http://")):
        lines.append(f'<p><a href="{escape(url)}">{escape(template.text("buttonText") or url)}</a></p>')
    return "\n".join(lines)


MESSAGES: Final = tuple(
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
        ("sms", "A text message is to be delivered (HTTP SMS provider).", "custom-phone-provider", _sms),
        ("email", "An e-mail is to be delivered (HTTP e-mail provider).", "custom-email-provider", _email),
    )
)
