"""The trigger `event-stream` (reference/trigger-event-stream.md)."""

from __future__ import annotations

from typing import Final

from triggers.api.cache import CACHE
from triggers.engine.catalogue import current
from triggers.engine.surface import Surface
from triggers.engine.trigger import Trigger

TRIGGER: Final = Trigger(
    id="event-stream",
    summary="A tenant event that a stream subscribes to occurred.",
    handlers=("onExecuteEventStream",),
    blocking=False,
    surface=Surface((*CACHE,)),
    versions=(current("v1", ("node22",)),),
    binding_policy="entity-bound",
    max_actions=1,
    decided=("api.message.fail, named in one comment of the documentation, does not exist; throw instead.",),
)
