"""Whom an event is about, as named traits: cohorts of a rollout and its lock-out list are made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_PATH: Final = 200
MAX_TRAITS: Final = 20
_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*){0,9}")
_CLIENTS: Final = frozenset({"request", "secrets", "configuration"})
"""Members of an event that its sender's own client fills in, or that are not the event's."""


def check_path(path: str) -> str:
    """`path`, when it leads to a member of an event. Raises `ValueError`."""
    if not _PATH.fullmatch(path):
        raise ValueError("a path is names joined by dots, such as user.user_id")
    if path.partition(".")[0] in _CLIENTS:
        raise ValueError(
            "what comes from the client, or is not of the event, does not choose: name a member of the user, "
            "such as user.user_id"
        )
    return path


def value_at(event: Mapping[str, Any], path: str) -> Any:
    """The value at `path`; None where the event has none. `event`: as it was sent, not yet checked."""
    found: Any = event
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


EventPath = Annotated[str, Field(max_length=MAX_PATH), AfterValidator(check_path)]
_Text = Annotated[str, Field(min_length=1, max_length=512)]


class Trait(BaseModel):
    """Something that an event says of its user; all members that are given must hold.

    Attributes:
        role: among the user's roles (`event.authorization.roles`).
        email: of the user, without regard to case; `*@example.com` for a whole domain.
        user_id: of `event.user`.
        where: values by path, each equal to the event's, such as `{"user.app_metadata.tier": "gold"}`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    role: _Text | None = None
    email: _Text | None = None
    user_id: _Text | None = None
    where: Annotated[dict[EventPath, _Text | bool | int], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == type(self).model_construct():
            raise ValueError("name a role, an email, a user_id or where")
        return self

    def covers(self, event: Mapping[str, Any]) -> bool:
        """Whether `event` says so. Never raises, whatever the event is like."""
        if self.role is not None:
            roles = value_at(event, "authorization.roles")
            if not isinstance(roles, list) or self.role not in roles:
                return False
        if self.email is not None and not _same_address(self.email, value_at(event, "user.email")):
            return False
        if self.user_id is not None and value_at(event, "user.user_id") != self.user_id:
            return False
        return all(_same(value_at(event, path), value) for path, value in (self.where or {}).items())


def is_covered(traits: Sequence[Trait], event: Mapping[str, Any]) -> bool:
    """Whether one of `traits` covers the user of `event`."""
    return any(trait.covers(event) for trait in traits)


def _same_address(wanted: str, found: Any) -> bool:
    if not isinstance(found, str):
        return False
    wanted, found = wanted.casefold(), found.casefold()
    return f"*@{found.rpartition('@')[2]}" == wanted if wanted.startswith("*@") else found == wanted


def _same(found: Any, wanted: str | bool | int) -> bool:
    """As JSON compares: 1 is not true."""
    return isinstance(found, bool) is isinstance(wanted, bool) and found == wanted
