"""Choice of the entity whose Action a request is for, where the trigger is bound to entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.store.attached_actions import Entity, EntityKind
from triggers import Trigger


class UnknownActionError(Exception):
    """The trigger is bound to entities, and the request names no deployed Action of it."""


class UnknownSubjectTokenTypeError(UnknownActionError):
    """No token exchange profile has the subject token type of the event."""


class ProviderDisabledError(UnknownActionError):
    """The tenant has switched its own message provider off."""


def entity_of(trigger: Trigger, event: Mapping[str, Any], action_id: str | None) -> Entity | None:
    """The entity whose Action runs on an event; None for triggers that run what is bound to them.

    Raises:
        EventError: the event does not fit the trigger, and it would have to say.
        UnknownActionError: `action_id` is missing, or given where nothing is chosen by it.
    """
    if trigger.binding_policy != "entity-bound":
        if action_id is not None:
            raise UnknownActionError(f"{trigger.id} runs what is bound to it: leave out `action_id`")
        return None
    if action_id:
        return Entity(EntityKind.ACTION, action_id)
    if trigger.id == "custom-token-exchange":
        trigger.parse_event(event)
        return Entity(EntityKind.PROFILE, event["transaction"]["subject_token_type"])
    if trigger.id == "event-stream":
        trigger.parse_event(event)
        return Entity(EntityKind.STREAM, event["message"].get("a0stream") or "")
    raise UnknownActionError(f"{trigger.id} is bound to entities: `action_id` must name the Action")


def unknown(entity: Entity) -> UnknownActionError:
    """The error for an entity that has no deployed Action."""
    if entity.kind is EntityKind.PROFILE:
        return UnknownSubjectTokenTypeError(
            "No token exchange profile is for the subject_token_type of this event"
        )
    if entity.kind is EntityKind.STREAM:
        return UnknownActionError("`event.message.a0stream` names no event stream")
    return UnknownActionError("`action_id` names no deployed Action of this trigger")
