"""The lock-out list of a tenant: users who must never be kept out by a change."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from runner.model.traits import Trait

MAX_RULES: Final = 50
MAX_LAST: Final = 200
DEFAULT_LAST: Final = 50


class LockoutList(BaseModel):
    """A tenant's list.

    Attributes:
        rules: users on it.
        last: how many of the latest recorded logins of the trigger are looked at as well, whoever they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rules: Annotated[list[Trait], Field(max_length=MAX_RULES)] = Field(default_factory=list)
    last: Annotated[int, Field(ge=0, le=MAX_LAST)] = DEFAULT_LAST
