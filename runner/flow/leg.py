"""One leg of a flow: Actions in bound order, one after another, under one budget (design section 8)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from runner.flow.execution import Execution, Executor, blame_budget, out_of_time
from runner.model.action import Action, FailPolicy
from runner.model.outcome import ActionRecord, CommandRecord, Decision, LogRecord, ResumePoint, Status
from sandbox.core.caps import Limits
from sandbox.core.failure import Failure
from sandbox.result import ExecutionResult
from triggers import FlowState, Services, Trigger


@dataclass(frozen=True, slots=True)
class Leg:
    """The input of a leg.

    Attributes:
        start: the first Action to run and its handler; None when a resume finds no Action left.
        limits: for Actions without limits of their own.
        budget_ms: wall time for all Actions of this leg together.
    """

    trigger: Trigger
    actions: tuple[Action, ...]
    state: FlowState
    services: Services
    start: ResumePoint | None
    limits: Limits
    budget_ms: int


@dataclass(frozen=True, slots=True)
class LegEnd:
    """The end of a leg. `state` holds the commands of every Action that completed."""

    decision: Decision
    state: FlowState
    records: tuple[ActionRecord, ...]
    failure: Failure | None = None
    failed_action: int | None = None
    suspended_by: int | None = None
    wall_ms: float = 0.0
    build_ms: float = 0.0


def run_leg(leg: Leg, executor: Executor, monotonic: Callable[[], float] = time.monotonic) -> LegEnd:
    """Run the leg to its end. Never raises for what a tenant's Action does."""
    return _Run(leg, executor, monotonic).run()


@dataclass(slots=True)
class _Run:
    """The changing part of a running leg."""

    leg: Leg
    executor: Executor
    monotonic: Callable[[], float]
    state: FlowState = field(init=False)
    records: list[ActionRecord] = field(default_factory=list)
    failure: Failure | None = None
    failed_action: int | None = None
    ended: Decision | None = None
    suspended_by: int | None = None
    deadline: float = field(init=False)

    def run(self) -> LegEnd:
        self.state = self.leg.state
        first = self.leg.start.action if self.leg.start else len(self.leg.actions)
        known = all(action.source in self.executor.programs for action in self.leg.actions[first:])
        building = self.monotonic()
        doomed = self._build(first)
        began = self.monotonic()
        self.deadline = began + self.leg.budget_ms / 1000
        for index, action in enumerate(self.leg.actions):
            if index == doomed:
                self.records.append(_record(index, action, status=Status.FAILED, failure=self.failure))
            elif index < first or self.ended is not None:
                self.records.append(_record(index, action, status=Status.SKIPPED))
            else:
                self._run_action(index, action)
        decision = self.ended or (Decision.FAILED if self.failure else Decision.ALLOW)
        return LegEnd(
            decision=decision,
            state=self.state,
            records=tuple(self.records),
            failure=self.failure,
            failed_action=self.failed_action,
            suspended_by=self.suspended_by,
            wall_ms=(self.monotonic() - began) * 1000,
            build_ms=0.0 if known else (began - building) * 1000,
        )

    def _build(self, first: int) -> int | None:
        """Build what this leg runs, before anything runs and before the clock of the budget starts.

        A source that does not build and must not be skipped ends the flow here: running the Actions before
        it would have effects outside, for a flow that cannot succeed. Its index is returned.
        """
        for index, action in enumerate(self.leg.actions):
            if index < first:
                continue
            failure = self.executor.build_failure(action.source)
            if failure is None or action.fail_policy is FailPolicy.OPEN or not self.leg.trigger.blocking:
                continue
            if action.last_good is not None and action.fail_policy is FailPolicy.LAST_GOOD:
                continue
            self._failed(index, action, failure)
            return index
        return None

    def _run_action(self, index: int, action: Action) -> None:
        handler = self._handler(index)
        execution = self._execute(action, index, handler)
        first_failure = execution.failure
        fallback = action.last_good if action.fail_policy is FailPolicy.LAST_GOOD else None
        if first_failure is not None and fallback is not None:
            execution = self._execute(replace(action, source=fallback), index, handler)
        if execution.failure is None:
            status = self._completed(index, execution)
        else:
            status = Status.FAILED
            self._failed(index, action, execution.failure)
        self.records.append(
            _record(
                index,
                action,
                status=status,
                handler=handler,
                failure=execution.failure or first_failure,
                used_last_good=first_failure is not None and fallback is not None,
                result=execution.result,
            )
        )

    def _handler(self, index: int) -> str:
        start = self.leg.start
        if start is not None and index == start.action:
            return start.handler
        return self.leg.trigger.execute_handler

    def _execute(self, action: Action, index: int, handler: str) -> Execution:
        own = action.limits or self.leg.limits
        left = math.ceil((self.deadline - self.monotonic()) * 1000)
        if left < 1:
            return Execution(out_of_time(self.leg.budget_ms), self.state)
        limits = replace(own, wall_ms=min(own.wall_ms, left))
        execution = self.executor.run(
            action, action.source, index, handler, self.state, self.leg.services, limits
        )
        if execution.failure is None:
            return execution
        return replace(execution, failure=blame_budget(execution.failure, limits, own, self.leg.budget_ms))

    def _completed(self, index: int, execution: Execution) -> Status:
        self.state = execution.state
        if execution.halts == "deny":
            self.ended = Decision.DENY
            return Status.DENIED
        if execution.halts == "suspend":
            self.ended = Decision.SUSPENDED
            self.suspended_by = index
            return Status.SUSPENDED
        return Status.RAN

    def _failed(self, index: int, action: Action, failure: Failure) -> None:
        """Blocking triggers stop at a failure. On the others nobody waits for the outcome, so the Actions
        that follow still run, and the first failure is reported."""
        if action.fail_policy is FailPolicy.OPEN:
            return
        if self.failure is None:
            self.failure = failure
            self.failed_action = index
        if self.leg.trigger.blocking:
            self.ended = Decision.FAILED


def _record(
    index: int, action: Action, *, status: Status, result: ExecutionResult | None = None, **facts: Any
) -> ActionRecord:
    """The record of one Action; `facts` are the record's members that no execution knows."""
    if result is not None:
        facts["logs"] = tuple(
            LogRecord(at_ms=line.at_ms, level=line.level, text=line.text, cut_bytes=line.cut_bytes)
            for line in result.logs
        )
        facts["logs_cut_bytes"] = result.logs_cut_bytes
        facts["commands"] = tuple(
            CommandRecord(path=item.path, arguments=tuple(item.arguments)) for item in result.commands
        )
        facts["statistics"] = result.statistics
    return ActionRecord(
        index=index, name=action.name, language=action.language, digest=action.digest, status=status, **facts
    )
