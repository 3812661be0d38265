"""An Action that a test ran by itself, run again in all three ways."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.model.action import Action
from sandbox.core.program import Source
from sandbox.egress import Egress
from tests.parity.told import Teller, differences, failures
from tests.parity.ways import Ways, as_the_service_names_them
from tests.parity.world import World
from triggers import get_trigger

Asked = Callable[[], list[Any]]
"""What a stand-in server was asked since the last call."""
KEEP: Callable[[Action, Mapping[str, Any], Egress], None] | None = None
"""Set while records are kept: is given every Action that runs, with its event and its way out."""
_FROM_A_TIMER = "The AWS SDK for JavaScript (v2) has reached end-of-support"
"""The package says so from a timer that nobody awaits: whether it comes to that is a matter of time."""


def check_alike(
    ways: Ways, source: Source, event: Mapping[str, Any], egress: Egress, asked: Asked, failed: list[str]
) -> None:
    """Run an Action for post-login in every way: each ends with the same outcome and sends the same requests.

    `failed`: codes of failures that it ends with. Guests read the time of now, which the servers of tests
    put into tokens. It goes on as often as it is read: beside timers and requests that is not the same
    each time.
    """
    trigger = get_trigger("post-login")
    [action] = as_the_service_names_them([Action(Path(source.filename).stem, source)])
    now = int(time.time())
    flows = ways.each(trigger, f"t{now}")
    if action.source.filename.endswith((".ts", ".mjs")):
        del flows["over HTTP"]
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name, flow in flows.items():
        ways.world.now = World(egress)
        told = Teller().told(flow.run({**trigger.example_event, **event}, [action]))
        [record] = told["actions"]
        for line in record["logs"]:
            line["text"] = _timeless(line["text"], now)
        record["logs"] = [line for line in record["logs"] if _FROM_A_TIMER not in line["text"]]
        # A timer beside a request may end before it or after it.
        record["logs"].sort(key=lambda line: (line["text"], line["level"]))
        found[name] = (told, sorted(_timeless(repr(item), now) for item in asked()))
        assert failures({"failure": None, "actions": [record]}) == failed, (name, told)
    for name, ended in found.items():
        for here, there in zip(found["in process"], ended, strict=True):
            differing = "\n".join(differences(here, there))
            assert not differing, f"{name}:\n{differing}"
    if KEEP is not None:
        KEEP(action, {**trigger.example_event, **event}, egress)


def _timeless(text: str, now: int) -> str:
    """`text` without the times near `now`, as numbers or in ISO 8601, and without AWS signatures of them."""
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    patterns = (
        rf"\b{str(now)[:6]}\d{{4,7}}(?:\.\d+)?\b",
        rf"{day}T\d\d(?::|%3A)\d\d(?::|%3A)\d\d(?:\.\d+)?",
        rf"{day.replace('-', '')}T\d{{6}}Z",
        r"Signature=[0-9a-f]{64}",
    )
    return re.sub("|".join(patterns), "TIME", text)
