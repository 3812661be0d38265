"""The trigger `pre-user-registration` (reference/trigger-pre-user-registration.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.access import DENY_SIGNUP, VALIDATION_ERROR
from triggers.api.cache import CACHE
from triggers.api.profile import SET_USER_ID, metadata, passwordless
from triggers.engine.catalogue import current, deprecated
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="pre-user-registration",
    summary="A signup on a database or passwordless connection, before the user is created.",
    handlers=("onExecutePreUserRegistration",),
    blocking=True,
    surface=Surface(
        (
            DENY_SIGNUP,
            VALIDATION_ERROR,
            *metadata("api", visible=True),
            SET_USER_ID,
            *CACHE,
        )
    ),
    versions=(
        current("v2"),
        deprecated("v1"),
    ),
    notes=(passwordless,),
    decided=("Later Actions see the metadata that earlier ones set, as in post-login.",),
)
