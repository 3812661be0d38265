"""Running a case: put its circumstances together, run every step, compare."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from runner.flow.leg_trace import LegTrace
from runner.flow.programs import ProgramCache
from runner.flow.runner import Runner
from runner.model.action import Action, FailPolicy
from runner.model.errors import InputError, RunnerError
from runner.model.outcome import FlowOutcome
from runner.model.settings import Settings
from runner.model.text import printable
from runner.project.action_files import load_action
from runner.project.allowlist import parse_rules
from runner.project.jsonfile import read_json
from runner.testing.cases.load import Case
from runner.testing.cases.match import Difference, differences
from runner.testing.cases.model import ActionSpec, ResumeSpec, Step
from runner.testing.cases.returning import returned
from runner.testing.cases.worlds import OneUser, fixed_cache, frozen_clock, seeded_entropy
from runner.testing.partial_event import completed
from runner.testing.simulated_return import merge_patch
from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError
from sandbox.egress import StubEgress, parse_stubs
from triggers import EventError, Trigger, UnknownTriggerError, get_trigger

UNUSABLE: Final = (RunnerError, BuildError, EventError, UnknownTriggerError)
"""What a case can be wrong in; anything else is a fault of ours."""

Seen = Callable[[LegTrace, FlowOutcome], None]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of one case.

    Attributes:
        status: `unusable` when the case itself is wrong, `problem` says how.
        step: number of the step that differs, from 1.
        outcome: of that step, or of the last one.
        filled: sentence about what the example event gave; "" when the case's event is whole.
    """

    case: Case
    status: Literal["passed", "failed", "skipped", "unusable"]
    seconds: float
    step: int = 0
    differences: tuple[Difference, ...] = ()
    problem: Exception | None = None
    outcome: FlowOutcome | None = None
    filled: str = ""


def run_case(
    case: Case, programs: ProgramCache, *, strict: bool = False, seen: Seen | None = None
) -> CaseResult:
    """Run one case. Never raises for what is wrong with the case or its Actions.

    Args:
        strict: refuse an event that is not whole instead of filling it up from the trigger's example.
        seen: told of every leg and its outcome.
    """
    if case.skip is not None:
        return CaseResult(case, "skipped", 0.0)
    began = time.monotonic()
    play = _Play(case, programs, strict, seen)
    try:
        result = play.run()
    except UNUSABLE as error:
        result = CaseResult(case, "unusable", 0.0, problem=error)
    return replace(result, seconds=time.monotonic() - began, filled=play.filled)


@dataclass(slots=True)
class _Play:
    """A case while its steps run."""

    case: Case
    programs: ProgramCache
    strict: bool
    seen: Seen | None = None
    filled: str = ""
    trigger: Trigger = field(init=False)
    runner: Runner = field(init=False)
    traces: list[LegTrace] = field(default_factory=list)
    outcome: FlowOutcome | None = None

    def run(self) -> CaseResult:
        self.trigger = get_trigger(self.case.trigger)
        self.runner = self._runner()
        for number, step in enumerate(self.case.steps, 1):
            found = self._differences(step)
            if found:
                return CaseResult(self.case, "failed", 0.0, number, tuple(found), outcome=self.outcome)
        return CaseResult(self.case, "passed", 0.0, len(self.case.steps), outcome=self.outcome)

    def _runner(self) -> Runner:
        case = self.case
        settings = Settings(limits=Limits(**case.limits.given()), features=frozenset(case.features))
        if case.budget_ms is not None:
            settings = replace(settings, budget_ms=case.budget_ms)
        return Runner(
            settings=settings,
            egress=StubEgress(case.fetch),
            programs=self.programs,
            caches=fixed_cache(case.cache),
            directory=OneUser(case.directory),
            clock=frozen_clock(case.clock),
            entropy=seeded_entropy(case.seed),
            observer=self.traces.append,
        )

    def _differences(self, step: Step) -> list[Difference]:
        self._enter(step)
        self.traces.clear()
        expected = dict(step.expect)
        wanted_error = expected.pop("error", None)
        try:
            self.outcome = self._start(step) if step.resume is None else self._resume(step, step.resume)
        except RunnerError as error:
            if wanted_error is None:
                raise
            return differences(wanted_error, {"code": error.code, "message": error.message}, "$.error")
        if self.seen is not None:
            self.seen(self.traces[-1], self.outcome)
        if wanted_error is not None:
            return [Difference("$.error", "an error", f"decision {self.outcome.decision.value}")]
        logs, fetches = expected.pop("logs", None), expected.pop("fetches", None)
        found = differences(expected, self.outcome.to_dict())
        if logs is not None:
            found += _log_differences(logs, self.outcome)
        if fetches is not None:
            found += differences(fetches, _fetches(self.traces), "$.fetches")
        return found

    def _enter(self, step: Step) -> None:
        """Circumstances that the step sets anew."""
        if step.clock is not None:
            self.runner = replace(self.runner, clock=frozen_clock(step.clock))
        if step.seed is not None:
            self.runner = replace(self.runner, entropy=seeded_entropy(step.seed))
        if step.fetch:
            self.runner = replace(
                self.runner, egress=StubEgress((*parse_stubs(step.fetch), *self.case.fetch))
            )
        if step.limits.given():
            limits = replace(self.runner.settings.limits, **step.limits.given())
            self.runner = replace(self.runner, settings=replace(self.runner.settings, limits=limits))

    def _start(self, step: Step) -> FlowOutcome:
        return self.runner.run(
            self.trigger, self._event(), self._actions(step), executed_rules=self.case.executed_rules
        )

    def _event(self) -> dict[str, Any]:
        given = self.case.event
        if given is None:
            return self._patched(self.trigger.example_event)
        event = read_json(self.case.path.parent / given, "event") if isinstance(given, str) else given
        if not isinstance(event, dict):
            raise InputError("not_an_object", f"event {given} must be a JSON object")
        if self.strict:
            return self._patched(event)
        made = completed(self.trigger, event, self.case.patches)
        self.filled = made.sentence(self.trigger)
        return made.event

    def _patched(self, event: dict[str, Any]) -> dict[str, Any]:
        for patch in self.case.patches:
            event = merge_patch(event, patch)
        return event

    def _actions(self, step: Step) -> list[Action]:
        return [self._action(spec, step) for spec in self.case.actions]

    def _action(self, spec: ActionSpec, step: Step) -> Action:
        folder = self.case.path.parent
        limits = {**self.case.limits.given(), **step.limits.given(), **spec.limits.given()}
        return load_action(
            folder / spec.file,
            name=spec.name,
            secrets={**self.case.secrets, **spec.secrets, **step.secrets},
            configuration={**self.case.configuration, **spec.configuration},
            fail_policy=FailPolicy(spec.fail) if spec.fail else None,
            last_good=folder / spec.last_good if spec.last_good else None,
            limits=Limits(**limits) if spec.limits.given() else None,
            allow=None if spec.allow is None else parse_rules(spec.allow),
        )

    def _resume(self, step: Step, resume: ResumeSpec) -> FlowOutcome:
        suspension = self.outcome.suspension if self.outcome else None
        if suspension is None:
            raise InputError("not_suspended", "the step before this `resume` did not suspend")
        waiting = self.runner.waiting(suspension.handle)
        parts = returned(waiting, resume, self.runner.clock.wall())
        return self.runner.resume(suspension.handle, **parts, secrets=self._actions(step))


def _log_differences(expected: Any, outcome: FlowOutcome) -> list[Difference]:
    """Each expected text is found in some line, in this order."""
    lines = [line.text for record in outcome.actions for line in record.logs]
    at = 0
    for index, item in enumerate(expected if isinstance(expected, list) else [expected]):
        wanted = {"$contains": item} if isinstance(item, str) else item
        hits = [number for number in range(at, len(lines)) if not differences(wanted, lines[number])]
        if not hits:
            shown = " | ".join(printable(line) for line in lines[at:]) or "no further log line"
            return [Difference(f"$.logs[{index}]", f"a line with {item!r}", shown)]
        at = hits[0] + 1
    return []


def _fetches(traces: Sequence[LegTrace]) -> list[dict[str, Any]]:
    """The requests that Actions made, in order, from the journals."""
    return [
        _fetch(json.loads(entry.arguments["arguments"]))
        for trace in traces
        for execution in trace.executions
        for entry in execution.journal.entries
        if entry.operation == "start"
    ]


def _fetch(request: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "method": str(request.get("method") or "GET").upper(),
        "url": request.get("url"),
        "headers": {str(name).lower(): value for name, value in request.get("headers") or ()},
    }
    if request.get("body") is not None:
        found["text"] = base64.b64decode(request["body"]).decode("utf-8", "replace")
        with contextlib.suppress(ValueError):
            found["json"] = json.loads(found["text"])
    return found
