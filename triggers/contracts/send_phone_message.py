"""The trigger `send-phone-message` (reference/trigger-send-phone-message.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.engine.catalogue import current, deprecated
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="send-phone-message",
    summary="A multi-factor code must be sent by SMS or voice through a provider of your own.",
    handlers=("onExecuteSendPhoneMessage",),
    blocking=True,
    surface=Surface((*CACHE,)),
    versions=(
        current("v2"),
        deprecated("v1"),
    ),
)
