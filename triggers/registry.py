"""All triggers, in the order of the documented list of ids; those that it lacks come last."""

from __future__ import annotations

from typing import Final

from triggers import (
    credentials_exchange,
    custom_email_provider,
    custom_phone_provider,
    custom_token_exchange,
    event_stream,
    password_reset_post_challenge,
    post_change_password,
    post_credential_validation,
    post_login,
    post_user_registration,
    pre_user_registration,
    send_phone_message,
)
from triggers.catalogue import unknown
from triggers.trigger import Trigger

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
_BY_ID: Final = {trigger.id: trigger for trigger in _TRIGGERS}


def all_triggers() -> tuple[Trigger, ...]:
    """Every trigger that can be run."""
    return _TRIGGERS


def get_trigger(trigger_id: str) -> Trigger:
    """The trigger of this id.

    Raises:
        UnknownTriggerError: names the nearest match; `UndocumentedTriggerError` for ids that are known
            and cannot be run.
    """
    found = _BY_ID.get(trigger_id) if isinstance(trigger_id, str) else None
    if found is None:
        raise unknown(trigger_id, tuple(_BY_ID))
    return found
