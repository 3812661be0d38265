"""The triggers that the engine can run, by id.

A flow names its trigger by id, so that its state is plain JSON. The contracts stand on the engine; it learns
of them here, when `triggers.registry` is imported, which importing anything of `triggers` does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from triggers.engine.catalogue import unknown
from triggers.engine.trigger import Trigger

_BY_ID: Final[dict[str, Trigger]] = {}


def register(triggers: Iterable[Trigger]) -> None:
    """Make these triggers known."""
    for trigger in triggers:
        if trigger.id in _BY_ID:
            raise ValueError(f"two triggers have the id {trigger.id}")
        _BY_ID[trigger.id] = trigger


def get_trigger(trigger_id: str) -> Trigger:
    """The trigger of this id.

    Raises:
        UnknownTriggerError: names the nearest match.
    """
    found = _BY_ID.get(trigger_id) if isinstance(trigger_id, str) else None
    if found is None:
        raise unknown(trigger_id, tuple(_BY_ID))
    return found
