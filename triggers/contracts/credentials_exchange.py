"""The trigger `credentials-exchange` (reference/trigger-credentials-exchange.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.access import DENY_WITH_CODE
from triggers.api.cache import CACHE
from triggers.api.scopes import target_scopes
from triggers.api.tokens import set_custom_claim
from triggers.engine.catalogue import current, deprecated
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="credentials-exchange",
    summary="A client-credentials grant, before the access token is returned.",
    handlers=("onExecuteCredentialsExchange",),
    blocking=True,
    surface=Surface(
        (
            DENY_WITH_CODE,
            set_custom_claim("access", scope_throws=False),
            *target_scopes(None),
            *CACHE,
        )
    ),
    versions=(
        current("v2"),
        deprecated("v1"),
    ),
    decided=("No later Action runs after a deny.",),
)
