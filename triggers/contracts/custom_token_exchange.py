"""The trigger `custom-token-exchange` (reference/trigger-custom-token-exchange.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.api.exchange import EXCHANGE, one_user
from triggers.api.profile import metadata
from triggers.api.transaction import set_metadata, with_metadata
from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="custom-token-exchange",
    summary="A token exchange whose subject_token_type matches a profile; before post-login.",
    handlers=("onExecuteCustomTokenExchange",),
    blocking=True,
    surface=Surface(
        (
            *EXCHANGE,
            *metadata("void", visible=False),
            set_metadata("void"),
            *CACHE,
        )
    ),
    versions=(current("v1", ("node18", "node22")),),
    binding_policy="entity-bound",
    max_actions=1,
    complete=with_metadata,
    checks=(one_user,),
)
