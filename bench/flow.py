"""A whole flow through `runner`: event check, effects, outcome; cost per Action must stay flat."""

from __future__ import annotations

import json
from typing import Final

from rich.table import Table

from bench.latency import TRIVIAL, bench_event
from bench.measure import Spread, timed
from runner.action import Action
from runner.library import Runner
from sandbox.egress import NoEgress
from sandbox.program import Language, Source

COUNTS: Final = (1, 5, 20)
RUNS: Final = 200
PAUSES: Final = {Language.JAVASCRIPT: 0.0, Language.PYTHON: 0.01}
"""Seconds between flows, per Action: pre-warmed Python instances are made again in the background."""


def measure(language: Language, count: int) -> Spread:
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

    return timed(once, RUNS, pause=PAUSES[language] * count)


def table() -> Table:
    rows = Table("language", "Actions", "p50 / p99 ms", "x of one", "target", title="Flow through runner")
    for language in Language:
        single: float | None = None
        for count in COUNTS:
            result = measure(language, count)
            single = single or result.p50
            target = "<= 22" if count == COUNTS[-1] else ""
            rows.add_row(language.value, str(count), str(result), f"{result.p50 / single:.1f}", target)
    return rows
