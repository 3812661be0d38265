"""Shadow runs: how many a second, and whether a version ever differs from itself.

The second row of each language is an ordinary run of the same Action, in alternating turns. What is told for
a second is for a second of processor time, so that a busy machine tells the same as an idle one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bench.engine.latency import TRIVIAL, bench_event
from bench.engine.restless import ChanceEgress, restless
from bench.report import Figure, Report
from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action
from runner.replay.record import FlowRecord, Recorder
from runner.shadow.leg import shadow_leg
from runner.shadow.run import recorded_actions
from sandbox.core.program import Language, Source
from sandbox.egress.none import NoEgress
from triggers import get_trigger

_TURNS: Final = 20
_OF_A_TURN: Final = 50
_SELVES: Final = 10_000
_RECORDS: Final = 20
"""Of each restless Action; a version meets each of them as often as the others."""


def measured() -> Report:
    """Both."""
    made = Report(
        "Shadow runs",
        ("Action", "What"),
        ("Runs", "Of a core's second", "Of two cores' second", "Differences", "Connections"),
    )
    for language in Language:
        _throughput(made, language)
    runs, wrong, connections = _selves()
    made.add(
        "restless, both languages",
        "version against itself",
        Figure(runs, "runs", 0),
        "",
        "",
        Figure(wrong, "runs", 0),
        Figure(connections, "connections", 0),
    )
    return made


def _throughput(made: Report, language: Language) -> None:
    programs, recorder = ProgramCache(), Recorder(keep_secrets=True)
    suffix = ".js" if language is Language.JAVASCRIPT else ".py"
    action = Action("plan", Source(language, f"plan{suffix}", TRIVIAL[language]))
    runner = Runner(egress=NoEgress(), programs=programs, observer=recorder)
    event = json.loads(bench_event())
    record = recorder.record(runner.run("post-login", event, [action]))
    candidate = replace(action, source=replace(action.source, text=TRIVIAL[language] + "\n"))
    plain = replace(runner, observer=None)
    used = {"shadow run": 0.0, "ordinary run": 0.0}
    calls: dict[str, Callable[[], object]] = {
        "shadow run": lambda: shadow_leg(record, [candidate], programs),
        "ordinary run": lambda: plain.run("post-login", event, [action]),
    }
    for turn in range(-1, _TURNS):
        for what, call in calls.items():
            began = time.process_time()
            for _ in range(_OF_A_TURN):
                call()
            if turn >= 0:
                used[what] += time.process_time() - began
    runs = _TURNS * _OF_A_TURN
    for what, seconds in used.items():
        made.add(
            language.value,
            what,
            Figure(runs, "runs", 0),
            Figure(runs / seconds, "1/s", 0),
            Figure(2 * runs / seconds, "1/s", 0),
        )


def _selves() -> tuple[int, int, int]:
    """Runs of versions against their own records, how many differed, and connections that they made."""
    programs, egress = ProgramCache(), ChanceEgress(most=0.005)
    event = get_trigger("post-login").example_event
    records: list[FlowRecord] = []
    for action in restless():
        for _ in range(_RECORDS):
            recorder = Recorder(keep_secrets=True)
            runner = Runner(egress=egress, programs=programs, observer=recorder)
            records.append(recorder.record(runner.run("post-login", event, [action])))
    before, wrong = egress.made, 0
    for number in range(_SELVES):
        record = records[number % len(records)]
        found = shadow_leg(record, recorded_actions(record), programs)
        wrong += found.skipped is not None or bool(found.differences)
    return _SELVES, wrong, egress.made - before
