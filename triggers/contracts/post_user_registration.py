"""The trigger `post-user-registration` (reference/trigger-post-user-registration.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.engine.catalogue import current, deprecated
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="post-user-registration",
    summary="After a user of a database or passwordless connection was created.",
    handlers=("onExecutePostUserRegistration",),
    blocking=False,
    surface=Surface((*CACHE,)),
    versions=(
        current("v2"),
        deprecated("v1"),
    ),
)
