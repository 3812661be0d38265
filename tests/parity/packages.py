"""An Action that a test ran by itself, run again in all three ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.action import Action
from sandbox.program import Source
from tests.parity.tape import Playback, Tape
from tests.parity.told import Teller, failures
from tests.parity.ways import Ways, as_the_service_names_them
from tests.parity.world import TICKING, World
from triggers import get_trigger

_TIMES = re.compile(r"\b174170\d{4,7}(?:\.\d+)?\b|\b2025-03-11T\d\d:\d\d:\d\d(?:\.\d+)?")
"""Of the clock, which goes on as often as it is read; beside timers that is not the same each time."""


def check_alike(ways: Ways, source: Source, event: Mapping[str, Any], tape: Tape) -> None:
    """Run an Action for post-login in every way, with the answers that it got before."""
    trigger = get_trigger("post-login")
    [action] = as_the_service_names_them([Action(Path(source.filename).stem, source)])
    flows = ways.each(trigger, TICKING)
    if action.source.filename.endswith((".ts", ".mjs")):
        del flows["over HTTP"]
    found: dict[str, Any] = {}
    for name, flow in flows.items():
        ways.world.now = World(Playback(tape))
        told = Teller().told(flow.run({**trigger.example_event, **event}, [action]))
        assert "internal" not in failures(told), told
        for record in told["actions"]:
            for line in record["logs"]:
                line["text"] = _TIMES.sub("TIME", line["text"])
            # A timer beside a request may end before it or after it.
            record["logs"].sort(key=lambda line: (line["text"], line["level"]))
        found[name] = told
    for name, told in found.items():
        assert told == found["in process"], name
