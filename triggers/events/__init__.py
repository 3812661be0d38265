"""Events: what each trigger hands to Actions, as pydantic models with examples.

The model of `post-login` is `PostLoginEvent` in `post_login.py`, its example `examples/post-login.json`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from triggers.events.model.base import Part
from triggers.events.model.check import check, parse
from triggers.values.json_value import copy

__all__ = ["Part", "check", "event_model", "example_event", "parse"]


def event_model(trigger_id: str) -> type[Part]:
    """The model of a known trigger's event. Loaded when it is asked for: most processes use one or two, and
    `Trigger.event_model` keeps it."""
    module = import_module(f"{__name__}.{trigger_id.replace('-', '_')}")
    found: type[Part] = getattr(module, f"{trigger_id.title().replace('-', '')}Event")
    return found


@cache
def _example(trigger_id: str) -> dict[str, Any]:
    text = (files(__name__) / "examples" / f"{trigger_id}.json").read_text(encoding="utf-8")
    example: dict[str, Any] = json.loads(text)
    return example


def example_event(trigger_id: str) -> dict[str, Any]:
    """A realistic event of a known trigger, free to change."""
    event: dict[str, Any] = copy(_example(trigger_id))
    return event
