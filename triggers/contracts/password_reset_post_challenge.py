"""The trigger `password-reset-post-challenge` (reference/trigger-password-reset-post-challenge.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.access import deny
from triggers.api.cache import CACHE
from triggers.api.factors import CHALLENGES
from triggers.api.prompt import RENDER
from triggers.api.redirect import ENCODE_TOKEN, SET_RESULT_URL, VALIDATE_TOKEN, send_user_to
from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="password-reset-post-challenge",
    summary="A password reset, after the first challenge and before the new password is set.",
    handlers=(
        "onExecutePostChallenge",
        "onContinuePostChallenge",
    ),
    blocking=True,
    surface=Surface(
        (
            deny("void"),
            *CHALLENGES,
            ENCODE_TOKEN,
            send_user_to("void"),
            VALIDATE_TOKEN,
            RENDER,
            SET_RESULT_URL,
            *CACHE,
        )
    ),
    versions=(current("v1"),),
    max_actions=4,
    decided=("A deny beats a redirect, form or challenge of the same Action.",),
)
