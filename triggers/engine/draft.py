"""`Effects` under construction, as the members of an api fill them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict

from triggers.engine.effects import (
    Denial,
    Lifetime,
    Multifactor,
    RecordedMethod,
    SessionEffects,
    UserByConnection,
    UserById,
)


class LifetimeDraft(Lifetime):
    """`Lifetime` under construction."""

    model_config = ConfigDict(frozen=False)


class SessionDraft(SessionEffects):
    """`SessionEffects` under construction."""

    model_config = ConfigDict(frozen=False)


@dataclass(slots=True)
class Draft:
    """`Effects` under construction.

    Attributes:
        event: the flow's, as of its last commit.
        members: of `Effects`, by name, that take what a member of the api gives them.
    """

    event: dict[str, Any]
    members: dict[str, Any] = field(default_factory=dict)
    denial: Denial | None = None
    claims: dict[Literal["id", "access"], dict[str, Any]] = field(
        default_factory=lambda: {"id": {}, "access": {}}
    )
    scopes: dict[str, bool] = field(default_factory=dict)
    metadata: list[tuple[int, Literal["user", "app"], str, Any]] = field(default_factory=list)
    primary_user: tuple[int, str] | None = None
    multifactor: Multifactor | None = None
    challenged: bool = False
    recorded_methods: list[RecordedMethod] = field(default_factory=list)
    saml_options: dict[str, Any] = field(default_factory=dict)
    saml_attributes: dict[str, Any] = field(default_factory=dict)
    session: SessionDraft = field(default_factory=SessionDraft)
    refresh_token: LifetimeDraft = field(default_factory=LifetimeDraft)
    user: UserById | UserByConnection | None = None
    organization: str | None = None
    actor: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)

    def deny(self, denial: Denial) -> None:
        """The first refusal of a flow stands."""
        self.denial = self.denial or denial

    def warn(self, text: str) -> None:
        """Note something once."""
        if text not in self.warnings:
            self.warnings.append(text)
