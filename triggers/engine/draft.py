"""`Effects` under construction, as the members of an api fill them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from triggers.engine.effects import (
    Denial,
    Multifactor,
    Notification,
    RecordedMethod,
    Revocation,
    UserByConnection,
    UserById,
)


@dataclass(slots=True)
class LifetimeDraft:
    """`Lifetime` under construction."""

    revoke: Revocation | None = None
    expires_at: int | float | None = None
    idle_expires_at: int | float | None = None
    cookie_mode: Literal["persistent", "non-persistent"] | None = None
    metadata: dict[str, Any] | None = None


@dataclass(slots=True)
class Draft:
    """`Effects` under construction. `event` is the flow's, as of its last commit."""

    event: dict[str, Any]
    denial: Denial | None = None
    claims: dict[Literal["id", "access"], dict[str, Any]] = field(
        default_factory=lambda: {"id": {}, "access": {}}
    )
    scopes: dict[str, bool] = field(default_factory=dict)
    target_scopes: tuple[str, ...] | None = None
    metadata: list[tuple[int, Literal["user", "app"], str, Any]] = field(default_factory=list)
    user_id: str | None = None
    primary_user: tuple[int, str] | None = None
    multifactor: Multifactor | None = None
    challenged: bool = False
    recorded_methods: list[RecordedMethod] = field(default_factory=list)
    saml_options: dict[str, Any] = field(default_factory=dict)
    saml_attributes: dict[str, Any] = field(default_factory=dict)
    session: LifetimeDraft = field(default_factory=LifetimeDraft)
    refresh_token: LifetimeDraft = field(default_factory=LifetimeDraft)
    transaction_metadata: dict[str, Any] | None = None
    result_url: str | None = None
    user: UserById | UserByConnection | None = None
    organization: str | None = None
    actor: dict[str, Any] | None = None
    notification: Notification | None = None
    warnings: list[str] = field(default_factory=list)

    def deny(self, denial: Denial) -> None:
        """The first refusal of a flow stands."""
        self.denial = self.denial or denial

    def warn(self, text: str) -> None:
        """Note something once."""
        if text not in self.warnings:
            self.warnings.append(text)
