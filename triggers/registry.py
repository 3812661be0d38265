"""All triggers, in the order of the documented list of ids; those that it lacks come last, and after them the
experimental ones."""

from __future__ import annotations

from typing import Final

from triggers.contracts import (
    credentials_exchange,
    custom_email_provider,
    custom_phone_provider,
    custom_token_exchange,
    event_stream,
    experimental,
    password_reset_post_challenge,
    post_change_password,
    post_credential_validation,
    post_login,
    post_user_registration,
    pre_user_registration,
    send_phone_message,
)
from triggers.engine.known import register
from triggers.engine.trigger import Trigger

_TRIGGERS: Final = (
    post_login.TRIGGER,
    credentials_exchange.TRIGGER,
    pre_user_registration.TRIGGER,
    post_user_registration.TRIGGER,
    post_change_password.TRIGGER,
    send_phone_message.TRIGGER,
    custom_phone_provider.TRIGGER,
    custom_email_provider.TRIGGER,
    password_reset_post_challenge.TRIGGER,
    custom_token_exchange.TRIGGER,
    event_stream.TRIGGER,
    post_credential_validation.TRIGGER,
)
_EXPERIMENTAL: Final = (
    experimental.PASSWORD_HASH_MIGRATION,
    experimental.LOGIN_POST_IDENTIFIER,
    experimental.SIGNUP_POST_IDENTIFIER,
    experimental.MCP_TOOL,
)
_KNOWN: Final = (*_TRIGGERS, *_EXPERIMENTAL)

register(_KNOWN)


def all_triggers() -> tuple[Trigger, ...]:
    """Every trigger that is complete: documented, bound and invoked."""
    return _TRIGGERS


def known_triggers() -> tuple[Trigger, ...]:
    """Those and the experimental ones, whose Actions can be run and tested too."""
    return _KNOWN
