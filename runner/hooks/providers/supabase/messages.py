"""The hooks that deliver messages. GoTrue sends codes and no texts: plain English ones are made here."""

from __future__ import annotations

from html import escape
from typing import Any, Final
from urllib.parse import urlencode

from runner.hooks.events import Reading, email_message, phone_message
from runner.hooks.model import Defaults, Hook, Payload, RefusedError
from runner.hooks.providers.supabase.parts import LIMIT_MS, MESSAGE_BUDGET_MS, begin, key, phone, user_of

_SMS: Final = "send-sms"
_EMAIL: Final = "send-email"
_FROM: Final = "no-reply@supabase.invalid"
"""GoTrue sends no sender to hooks: the Action knows its own."""
_PASSWORD_CHANGED: Final = "password_changed_notification"  # noqa: S105 - a kind of message
_CHANGE: Final = "email_change"
_KINDS: Final = {
    "signup": ("verify_email", "Confirm your email address"),
    "invite": ("organization_invitation", "You have been invited"),
    "magiclink": ("verification_code", "Your login link"),
    "email": ("verification_code", "Your login code"),
    "recovery": ("reset_email", "Reset your password"),
    _CHANGE: ("verify_email", "Confirm your new email address"),
    "reauthentication": ("verification_code", "Confirm that it is you"),
}
"""`email_action_type`: Auth0's kind of message, and a subject."""
_NOTICES: Final = {
    "email_changed_notification": "Your email address was changed",
    "phone_changed_notification": "Your phone number was changed",
    "identity_linked_notification": "An identity was linked to your account",
    "identity_unlinked_notification": "An identity was removed from your account",
    "mfa_factor_enrolled_notification": "A second factor was added to your account",
    "mfa_factor_unenrolled_notification": "A second factor was removed from your account",
}
_CODE_ALONE: Final = "reauthentication"


def _sms(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = begin(payload, _SMS, trigger, defaults, tenant)
    event["request"].pop("query")
    user, sms = given.object("user"), given.object("sms")
    event["user"] = user_of(user)
    number, code = phone(sms.text("phone") or user.text("phone")), sms.needed("otp")
    if number is None:
        raise RefusedError(400, "The payload has no $.sms.phone.")
    event["notification"] = phone_message(
        "otp_verify",
        number,
        f"Your code is {code}",
        "en",
        code=code,
        voice=f"Your code is {' '.join(code)}",
    )
    return event


def _choose_email(payload: Payload) -> str:
    kind = Reading(payload).object("email_data").text("email_action_type")
    return "post-change-password" if kind == _PASSWORD_CHANGED else "custom-email-provider"


def _email(payload: Payload, trigger: str, defaults: Defaults, tenant: str) -> dict[str, Any]:
    given = Reading(payload)
    event = begin(payload, _EMAIL, trigger, defaults, tenant)
    found = user_of(given.object("user"))
    if trigger == "post-change-password":
        names = ("user_id", "email", "email_verified", "phone_number", "phone_verified")
        at = given.object("metadata").text("time")
        event["user"] = {name: found[name] for name in names if name in found}
        event["user"] |= {} if at is None else {"last_password_reset": at}
        return event
    event["request"] = {"query": {}, **({"ip": event["request"]["ip"]} if event["request"]["ip"] else {})}
    event["user"] = found
    messages = _messages(given.object("user"), given.object("email_data"))
    event["notification"] = messages[0]
    if len(messages) > 1:
        event["hook"]["also"] = messages[1:]
    return event


def _messages(user: Reading, data: Reading) -> list[dict[str, Any]]:
    """One, or two for a change of address that both addresses confirm.

    The names of the hashes are crossed there: `token` and `token_hash_new` are for the current address,
    `token_new` and `token_hash` for the new one (GoTrue keeps that for old receivers)."""
    current, new = user.text("email"), user.text("new_email")
    if data.text("email_action_type") != _CHANGE:
        return [_message(data, current, data.text("token"), data.text("token_hash"))]
    if data.text("token_hash_new") is None:
        return [_message(data, new or current, data.text("token"), data.text("token_hash"))]
    return [
        _message(data, current, data.text("token"), data.text("token_hash_new")),
        _message(data, new, data.text("token_new"), data.text("token_hash")),
    ]


def _message(data: Reading, to: str | None, code: str | None, token_hash: str | None) -> dict[str, Any]:
    kind = data.needed("email_action_type")
    if to is None:
        raise RefusedError(400, "The payload has no address that the message could go to.")
    message_type, subject = _KINDS.get(kind, (kind, _NOTICES.get(kind, "A message about your account")))
    lines, link = [f"{subject}."], None
    if kind in _KINDS:
        if code is not None:
            lines.append(f"Your code is {code}")
        link = None if kind == _CODE_ALONE else _link(data, kind, token_hash)
    html = [f"<p>{escape(line)}</p>" for line in lines]
    if link is not None:
        lines.append(link)
        html.append(f'<p><a href="{escape(link)}">{escape(subject)}</a></p>')
    return email_message(message_type, _FROM, to, subject, "\n".join(html), "\n\n".join(lines), "en")


def _link(data: Reading, kind: str, token_hash: str | None) -> str | None:
    """GoTrue's own page that ends the step; `site_url` is GoTrue's address, in spite of its name."""
    site = data.text("site_url")
    if site is None or token_hash is None or not site.startswith(("https://", "http://")):
        return None
    query = {"token": token_hash, "type": kind, "redirect_to": data.text("redirect_to") or ""}
    return f"{site.rstrip('/')}/verify?{urlencode({name: value for name, value in query.items() if value})}"


SMS: Final = Hook(
    name=_SMS,
    summary="A text message is to be delivered.",
    triggers=("custom-phone-provider",),
    event=_sms,
    body=lambda _payload, _effects: {},
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=MESSAGE_BUDGET_MS,
    example=f"{_SMS}.json",
)
EMAIL: Final = Hook(
    name=_EMAIL,
    summary="An e-mail is to be delivered, or a password was changed.",
    triggers=("custom-email-provider", "post-change-password"),
    choose=_choose_email,
    event=_email,
    body=lambda _payload, _effects: {},
    key=key,
    limit_ms=LIMIT_MS,
    budget_ms=MESSAGE_BUDGET_MS,
    example=f"{_EMAIL}.json",
)
