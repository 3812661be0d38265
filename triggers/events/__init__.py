"""Events: what each trigger hands to Actions, as pydantic models with examples.

`check_event` is the one way to judge an event that came from outside.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from triggers.events.credentials_exchange import CredentialsExchangeEvent
from triggers.events.custom_email_provider import CustomEmailProviderEvent
from triggers.events.custom_phone_provider import CustomPhoneProviderEvent
from triggers.events.custom_token_exchange import CustomTokenExchangeEvent
from triggers.events.event_stream import EventStreamEvent
from triggers.events.experimental import (
    LoginPostIdentifierEvent,
    McpToolEvent,
    PasswordHashMigrationEvent,
    SignupPostIdentifierEvent,
)
from triggers.events.model.base import Part
from triggers.events.model.check import advise, check, parse
from triggers.events.password_reset_post_challenge import PasswordResetPostChallengeEvent
from triggers.events.post_change_password import PostChangePasswordEvent
from triggers.events.post_credential_validation import PostCredentialValidationEvent
from triggers.events.post_login import PostLoginEvent
from triggers.events.post_user_registration import PostUserRegistrationEvent
from triggers.events.pre_user_registration import PreUserRegistrationEvent
from triggers.events.send_phone_message import SendPhoneMessageEvent
from triggers.values.problems import MAX_PROBLEMS, Advice, EventError, Problem

__all__ = [
    "EXAMPLES",
    "MAX_PROBLEMS",
    "MODELS",
    "Advice",
    "EventError",
    "Part",
    "Problem",
    "advise_event",
    "check_event",
    "complete_post_login_event",
    "example_event",
    "parse_event",
]

MODELS: Final[Mapping[str, type[Part]]] = MappingProxyType(
    {
        "post-login": PostLoginEvent,
        "credentials-exchange": CredentialsExchangeEvent,
        "pre-user-registration": PreUserRegistrationEvent,
        "post-user-registration": PostUserRegistrationEvent,
        "post-change-password": PostChangePasswordEvent,
        "send-phone-message": SendPhoneMessageEvent,
        "password-reset-post-challenge": PasswordResetPostChallengeEvent,
        "custom-phone-provider": CustomPhoneProviderEvent,
        "custom-email-provider": CustomEmailProviderEvent,
        "custom-token-exchange": CustomTokenExchangeEvent,
        "event-stream": EventStreamEvent,
        "post-credential-validation": PostCredentialValidationEvent,
        "password-hash-migration": PasswordHashMigrationEvent,
        "login-post-identifier": LoginPostIdentifierEvent,
        "signup-post-identifier": SignupPostIdentifierEvent,
        "mcp-tool": McpToolEvent,
    }
)
"""Event model of each trigger, by trigger id, in the order of the reference's catalogue."""


@cache
def _example(trigger_id: str) -> dict[str, Any]:
    text = (files(__name__) / "examples" / f"{trigger_id}.json").read_text(encoding="utf-8")
    example: dict[str, Any] = json.loads(text)
    return example


def example_event(trigger_id: str) -> dict[str, Any]:
    """A realistic event of a trigger, free to change. KeyError for an unknown trigger."""
    if trigger_id not in MODELS:
        raise KeyError(trigger_id)
    return copy.deepcopy(_example(trigger_id))


def complete_post_login_event() -> dict[str, Any]:
    """A `post-login` event with every declared property at once, which no real login has. Free to change."""
    return _merged(example_event("post-login"), _example("post-login.complete"))


def _merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    both = copy.deepcopy(base)
    for name, value in more.items():
        inner = both.get(name)
        both[name] = _merged(inner, value) if isinstance(inner, dict) else copy.deepcopy(value)
    return both


EXAMPLES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType({name: _example(name) for name in MODELS})
"""Example event of each trigger; read only, `example_event` gives copies."""


def check_event(trigger_id: str, event: Any) -> dict[str, Any]:
    """Return `event` when it has the shape the trigger promises; nothing is coerced, added or dropped.

    Raises EventError (what is wrong, with JSON paths) for anything else, KeyError for an unknown trigger.
    """
    check(MODELS[trigger_id], event)
    checked: dict[str, Any] = event
    return checked


def parse_event(trigger_id: str, text: bytes) -> dict[str, Any]:
    """The event that is JSON `text`, checked as `check_event` checks it."""
    return parse(MODELS[trigger_id], text)


def advise_event(trigger_id: str, event: Mapping[str, Any]) -> list[Advice]:
    """Near misses in an event that passes `check_event`: misspelt properties and values."""
    return advise(MODELS[trigger_id], event)
