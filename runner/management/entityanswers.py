"""What the Management API answers of the entities that Actions are attached to; see `answers`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from runner.management.answers import Instant, Uuid

_closed = with_config(ConfigDict(extra="forbid"))
Next = Annotated[str, Field(description="Where the next page begins (`from`); absent on the last one.")]


@_closed
class Profile(TypedDict):
    """Which Action validates subject tokens of a type."""

    id: Annotated[str, Field(pattern="^tep_")]
    name: str
    subject_token_type: str
    action_id: Uuid
    type: Literal["custom_authentication"]
    created_at: Instant
    updated_at: Instant


@_closed
class ProfileList(TypedDict):
    """Profiles in the order of their creation."""

    token_exchange_profiles: list[Profile]
    next: NotRequired[Next]
