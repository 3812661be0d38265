"""A whole flow through `runner`: event check, effects, outcome; cost per Action must stay flat."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.measure import Spread, in_turn, sampler
from bench.report import Figure, Report
from runner.flow.runner import Runner
from runner.model.action import Action
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress

COUNTS: Final = (1, 5, 20)
RUNS: Final = 500
PAUSE_SECONDS: Final = 0.003
"""Between flows, for each Action of it, in the rows with pauses: a process that is not saturated."""


def flow_of(language: Language, count: int) -> Callable[[], None]:
    """Runs a flow of `count` trivial Actions."""
    runner = Runner(egress=NoEgress())
    event = json.loads(bench_event())
    event.pop("secrets", None)
    actions = [
        Action(name=f"action-{index}", source=Source(language, f"action-{index}", TRIVIAL[language]))
        for index in range(count)
    ]

    def once() -> None:
        outcome = runner.run("post-login", event, actions)
        assert outcome.decision == "allow", outcome.failure

    return once


def measure(language: Language, *, pauses: bool) -> list[Spread]:
    """Flows of each of `COUNTS`, in turn."""
    waits = [PAUSE_SECONDS * count + 0.005 if pauses else 0.0 for count in COUNTS]
    flows = [sampler(flow_of(language, count), wait) for count, wait in zip(COUNTS, waits, strict=True)]
    return in_turn(flows, RUNS)


def measured() -> Report:
    """Cost per Action in flows of one, five and twenty."""
    rows = Report("Flow through runner", ("flows of", "Actions"), ("flow", "relative to one", "target"))
    for language in Language:
        for pauses in (True, False):
            name = f"{language.value}, {'with pauses' if pauses else 'back to back'}"
            found = measure(language, pauses=pauses)
            for count, result in zip(COUNTS, found, strict=True):
                target = "<= 22" if count == COUNTS[-1] else ""
                rows.add(name, str(count), result, Figure(result.p50 / found[0].p50, "x"), target)
    return rows
