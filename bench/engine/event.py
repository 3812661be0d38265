"""What carrying an event of some 4 kB costs: one row for each time that it is read, checked or written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from bench.report import Figure, Report
from runner.http.json_body import parse_body
from runner.model.outcome import ActionRecord, Decision, FlowOutcome, LogRecord, Status, Timing, TriggerRef
from runner.runtime.schemas import InvokeBody, results_of
from runner.store.database.engine import json_text
from runner.store.resolved_flow import BoundVersion
from sandbox.core.program import Language
from triggers import ActionSession, Effects, Services, begin, get_trigger

_BYTES: Final = 4096
_LINES: Final = 2000


def measured() -> Report:
    """Of one invoke with one Action, in the order in which it happens, without what the guest does."""
    trigger = get_trigger("post-login")
    event = trigger.example_event
    extra = event["user"]["user_metadata"]
    while len(json.dumps(event)) < _BYTES:
        extra[f"key_{len(extra)}"] = "a value of some length"
    raw = json.dumps({"event": event}).encode()
    body = parse_body(raw)
    text = body.text_of("event")
    parsed = trigger.parse_event(text)
    state = begin(trigger, parsed)

    def session() -> ActionSession:
        return ActionSession(state, Services(), action_index=0, secrets={}, handler=trigger.execute_handler)

    session().event_json()
    outcome = _outcome()
    written = outcome.to_json()
    versions = [BoundVersion("act_1", "a", "ver_1")]
    results = results_of(outcome, versions)
    title = f"An event of {len(text)} bytes on its way, and an outcome with {_LINES} log lines"
    found = Report(title, ("where", "what"), ("takes",))
    for where, what, work in (
        ("service", "body read and checked", lambda: parse_body(raw)),
        ("service", "body held against its schema", lambda: InvokeBody.model_validate(body)),
        ("service", "event cut out for the worker", lambda: body.text_of("event")),
        ("worker", "event read, checked, held against its model", lambda: trigger.parse_event(text)),
        ("worker", "flow begun", lambda: begin(trigger, parsed)),
        ("worker", "event written for the guest, first Action", lambda: begin(trigger, parsed).event_text()),
        ("worker", "the same, each further Action", lambda: session().event_json()),
        ("worker", "outcome written", outcome.to_json),
        ("service", "outcome read and checked", lambda: FlowOutcome.from_json(written)),
        ("service", "outcome written for the platform", outcome.to_json),
        ("service", "results for the record", lambda: results_of(outcome, versions)),
        ("service", "results written", lambda: json_text(results)),
    ):
        found.add(where, what, Figure(_microseconds(work), "µs"))
    return found


def _outcome() -> FlowOutcome:
    logs = tuple(LogRecord(at_ms=n / 10, level="info", text=f"line {n} of a log") for n in range(_LINES))
    action = ActionRecord(
        index=0, name="a", language=Language.JAVASCRIPT, digest="0" * 64, status=Status.RAN, logs=logs
    )
    return FlowOutcome(
        execution_id="exe_1",
        tenant="t",
        trigger=TriggerRef(id="post-login", version="v3", blocking=True),
        decision=Decision.ALLOW,
        effects=Effects(),
        actions=(action,),
        timing=Timing(started_at=0.0, wall_ms=1.0, budget_ms=20_000),
    )


def _microseconds(work: Callable[[], Any]) -> float:
    """The best of some rounds: what the machine does beside is not in it."""
    work()
    begun = time.perf_counter()
    work()
    count = max(1, int(0.02 / (time.perf_counter() - begun)))
    best = float("inf")
    for _ in range(9):
        begun = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - begun) / count)
    return best * 1e6
