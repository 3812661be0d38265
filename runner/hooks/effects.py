"""Which effects of an outcome a hook can carry to its identity provider, and which it has to drop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from triggers import Effects

MOST_SHOWN: Final = 50
"""Dropped effects that go on record of one execution."""
_MAX_NAME: Final = 200


class Effect(StrEnum):
    """Kinds of effects that a hook may or may not carry. A refusal is none of them: every hook carries it."""

    ID_TOKEN_CLAIMS = "id_token_claims"  # noqa: S105 - a member's name
    ACCESS_TOKEN_CLAIMS = "access_token_claims"  # noqa: S105
    SCOPES = "scopes"
    USER_METADATA = "user_metadata"
    APP_METADATA = "app_metadata"
    USER_ID = "user_id"
    PRIMARY_USER = "primary_user"
    SAML_ATTRIBUTES = "saml_attributes"
    SAML_OPTIONS = "saml_options"
    MULTIFACTOR = "multifactor"
    RECORDED_METHODS = "recorded_methods"
    SESSION = "session"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105
    TRANSACTION_METADATA = "transaction_metadata"
    RESULT_URL = "result_url"
    SUSPENSION = "suspension"
    """A redirect, form, challenge or enrolment: no hook carries one."""


HARMLESS: Final = frozenset({Effect.TRANSACTION_METADATA})
"""Listed when dropped, and never a reason to refuse: it only tells later triggers of the same transaction."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """One effect that does not reach the provider.

    Attributes:
        name: which claim, key or attribute; "" for all of its kind.
        reason: in words for whoever looks at the execution.
        matters: the outcome is refused for it unless the tenant has said otherwise.
    """

    effect: Effect
    name: str
    reason: str
    matters: bool = True

    def shown(self) -> dict[str, str]:
        """As records have it."""
        named = {"name": self.name[:_MAX_NAME]} if self.name else {}
        return {"effect": self.effect.value, **named, "reason": self.reason}


def named(effects: Effects) -> Iterator[tuple[Effect, str]]:
    """Each effect that is there: its kind, and the name of the claim, key or attribute ("" without one)."""
    maps: tuple[tuple[Effect, Any], ...] = (
        (Effect.ID_TOKEN_CLAIMS, effects.id_token_claims),
        (Effect.ACCESS_TOKEN_CLAIMS, effects.access_token_claims),
        (Effect.SCOPES, (*effects.scopes_added, *effects.scopes_removed)),
        (Effect.USER_METADATA, effects.user_metadata),
        (Effect.APP_METADATA, effects.app_metadata),
        (Effect.SAML_ATTRIBUTES, effects.saml.attributes),
        (Effect.SAML_OPTIONS, effects.saml.options),
        (Effect.RECORDED_METHODS, [method.name for method in effects.recorded_methods]),
    )
    for kind, names in maps:
        for name in names:
            yield kind, name
    single = {
        Effect.SCOPES: effects.target_scopes is not None,
        Effect.USER_ID: effects.user_id is not None,
        Effect.PRIMARY_USER: effects.primary_user_id is not None,
        # `none` asks for less than the provider may do: without it the login is no easier.
        Effect.MULTIFACTOR: effects.multifactor is not None and effects.multifactor.provider != "none",
        Effect.SESSION: effects.session != type(effects.session)(),
        Effect.REFRESH_TOKEN: effects.refresh_token != type(effects.refresh_token)(),
        Effect.TRANSACTION_METADATA: effects.transaction_metadata is not None,
        Effect.RESULT_URL: effects.result_url is not None,
        Effect.SUSPENSION: bool(effects.redirect or effects.prompt or effects.steps),
    }
    for kind, there in single.items():
        if there:
            yield kind, ""
