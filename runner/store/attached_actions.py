"""Actions that are attached to an entity: a token exchange profile, an event stream, a message provider."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.store.tables.entities import EventStreamRow, MessageProviderRow, TokenExchangeProfileRow

_CHANNELS: Final = {"custom-email-provider": "email", "custom-phone-provider": "phone"}
"""Of messages, by the trigger that delivers them."""


class EntityKind(StrEnum):
    """The kinds of entities that an Action may be attached to."""

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
