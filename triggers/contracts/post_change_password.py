"""The trigger `post-change-password` (reference/trigger-post-change-password.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.engine.catalogue import current, deprecated
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="post-change-password",
    summary="After a database user's password was changed or reset.",
    handlers=("onExecutePostChangePassword",),
    blocking=False,
    surface=Surface((*CACHE,)),
    versions=(
        current("v2"),
        deprecated("v1"),
    ),
)
