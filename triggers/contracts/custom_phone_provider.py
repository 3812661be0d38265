"""The trigger `custom-phone-provider` (reference/trigger-custom-phone-provider.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.api.notification import NOTIFICATION, delivered
from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="custom-phone-provider",
    summary="A phone notification must be delivered by a provider of your own.",
    handlers=("onExecuteCustomPhoneProvider",),
    blocking=False,
    surface=Surface(
        (
            *NOTIFICATION,
            *CACHE,
        )
    ),
    versions=(current("v1"),),
    max_actions=1,
    prepare=delivered,
    decided=(
        "Counts as non-blocking: whether the service waits is undocumented, and retries are asynchronous.",
    ),
)
