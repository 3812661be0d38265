"""The lock-out list: users who must never be kept out by a change, as rules over the event of their login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from runner.model.traits import value_at

MAX_RULES: Final = 50
MAX_LAST: Final = 200
DEFAULT_LAST: Final = 50
_Text = Annotated[str, Field(min_length=1, max_length=512)]


class LockoutRule(BaseModel):
    """One kind of user. What is given must all hold.

    Attributes:
        role: a role of `event.authorization.roles`.
        email: of the user, in any case; `*@example.com` for a whole domain.
        user_id: of the user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    role: _Text | None = None
    email: _Text | None = None
    user_id: _Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> LockoutRule:
        if self.role is None and self.email is None and self.user_id is None:
            raise ValueError("give a role, an email or a user_id")
        return self

    def covers(self, event: Mapping[str, Any]) -> bool:
        """Whether the user of `event`, an event of a trigger, is meant."""
        roles = value_at(event, "authorization.roles")
        return bool(
            (self.role is None or (isinstance(roles, list) and self.role in roles))
            and (self.email is None or _same_address(self.email, value_at(event, "user.email")))
            and (self.user_id is None or value_at(event, "user.user_id") == self.user_id)
        )


class LockoutList(BaseModel):
    """A tenant's list.

    Attributes:
        rules: users on it.
        last: how many of the latest recorded logins of the trigger are looked at as well, whoever they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rules: Annotated[list[LockoutRule], Field(max_length=MAX_RULES)] = Field(default_factory=list)
    last: Annotated[int, Field(ge=0, le=MAX_LAST)] = DEFAULT_LAST


def _same_address(wanted: str, found: Any) -> bool:
    if not isinstance(found, str):
        return False
    wanted, found = wanted.casefold(), found.casefold()
    return bool(found.endswith(wanted[1:]) if wanted.startswith("*@") else found == wanted)
