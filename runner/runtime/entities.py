"""Which Action runs where the trigger is bound to entities: the one named, or that of an entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.store.entities import EventStreamRow, MessageProviderRow, TokenExchangeProfileRow
from triggers import Trigger

_CHANNELS: Final = {"custom-email-provider": "email", "custom-phone-provider": "phone"}
"""Of messages, by the trigger that delivers them."""


class EntityKind(StrEnum):
    """What an Action may be attached to."""

    ACTION = "action"
    """Nothing: the request names the Action."""
    PROFILE = "profile"
    """A token exchange profile, by its subject token type."""
    STREAM = "stream"
    """An event stream, by its id."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity by what requests call it."""

    kind: EntityKind
    key: str


class UnknownActionError(Exception):
    """The trigger is bound to entities, and the request names no deployed Action of it."""


class UnknownSubjectTokenTypeError(UnknownActionError):
    """No token exchange profile has the subject token type of the event."""


class ProviderDisabledError(UnknownActionError):
    """The tenant has switched its own message provider off."""


def is_switched_off(session: Session, tenant: str, trigger: str) -> bool:
    """`trigger` delivers messages, and the tenant has disabled its own provider for them."""
    channel = _CHANNELS.get(trigger)
    return channel is not None and bool(
        session.scalar(
            select(MessageProviderRow.id).where(
                MessageProviderRow.tenant_id == tenant,
                MessageProviderRow.channel == channel,
                ~MessageProviderRow.enabled,
            )
        )
    )


def entity_of(trigger: Trigger, event: Mapping[str, Any], action_id: str | None) -> Entity | None:
    """What runs on an event; None for triggers that run what is bound to them.

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


def action_of(session: Session, tenant: str, entity: Entity) -> str | None:
    """Id of the entity's Action; None when the tenant has no such entity."""
    if entity.kind is EntityKind.ACTION:
        return entity.key
    if entity.kind is EntityKind.STREAM:
        stream = session.get(EventStreamRow, (tenant, entity.key))
        return None if stream is None else stream.action_id
    return session.scalar(
        select(TokenExchangeProfileRow.action_id).where(
            TokenExchangeProfileRow.tenant_id == tenant,
            TokenExchangeProfileRow.subject_token_type == entity.key,
        )
    )


def unknown(entity: Entity) -> UnknownActionError:
    """The error for an entity that has no deployed Action."""
    if entity.kind is EntityKind.PROFILE:
        return UnknownSubjectTokenTypeError(
            "No token exchange profile is for the subject_token_type of this event"
        )
    if entity.kind is EntityKind.STREAM:
        return UnknownActionError("`event.message.a0stream` names no event stream")
    return UnknownActionError("`action_id` names no deployed Action of this trigger")
