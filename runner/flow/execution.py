"""One execution: an Action's program meets a trigger session over a port."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import sandbox
from runner.flow.programs import ProgramCache
from runner.model.action import Action
from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Request, Source
from sandbox.port.interface import ApiHost, ExecutionPort
from sandbox.result import ExecutionResult
from triggers import ActionSession, CommitError, FlowState, Services, Trigger

PortFactory = Callable[[int, ApiHost, Limits], ExecutionPort]
"""Makes the port of one execution from the Action's index, its session and its limits."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of one run of one version of an Action.

    Attributes:
        state: the flow's state with this Action's commands; the state before when it failed.
        halts: the completed Action ends (`deny`) or interrupts (`suspend`) the flow.
        result: None when nothing ran (the source does not build, or no time was left).
    """

    failure: Failure | None
    state: FlowState
    halts: str | None = None
    result: ExecutionResult | None = None


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs single Actions; knows nothing of their order."""

    trigger: Trigger
    programs: ProgramCache
    port: PortFactory

    def build_failure(self, source: Source) -> Failure | None:
        """The reason why `source` does not build, None when it does."""
        try:
            self.programs.get(source)
        except BuildError as error:
            return error.failure
        return None

    def run(
        self,
        action: Action,
        source: Source,
        index: int,
        handler: str,
        state: FlowState,
        services: Services,
        limits: Limits,
    ) -> Execution:
        """Run `source`, a version of `action`, against `state`. Never raises for what a tenant did."""
        try:
            program = self.programs.get(source)
        except BuildError as error:
            return Execution(error.failure, state)
        session = ActionSession(
            state,
            services,
            action_index=index,
            secrets=dict(action.secrets),
            configuration=dict(action.configuration),
            handler=handler,
        )
        request = Request(
            handler=handler,
            event=session.event_json(),
            surface=_surface(self.trigger),
            module_secrets=json.dumps(action.module_secrets) if action.module_secrets else "",
        )
        result = sandbox.run(program, request, limits, self.port(index, session, limits))
        if result.failure is not None:
            return Execution(result.failure, state, result=result)
        try:
            committed = session.commit()
            return Execution(None, committed, halts=session.halts, result=result)
        except CommitError as error:
            return Execution(_refused(error), state, result=replace(result, commands=()))


def out_of_time(budget_ms: int) -> Failure:
    """The failure of an Action for which the flow's budget leaves nothing."""
    return Failure(
        FailureCode.TIMEOUT,
        f"The Action did not start: the Actions before it used up the flow's {budget_ms} ms.",
        detail={"budget_ms": budget_ms},
    )


def blame_budget(failure: Failure, limits: Limits, own: Limits, budget_ms: int) -> Failure:
    """A timeout under the flow's budget rather than the Action's own limit says so in its detail."""
    if failure.code is not FailureCode.TIMEOUT or limits.wall_ms >= own.wall_ms:
        return failure
    return replace(failure, detail={**failure.detail, "budget_ms": budget_ms})


def _refused(error: CommitError) -> Failure:
    """Refuse commands that are impossible together, e.g. a redirect and a form at once."""
    return Failure(FailureCode.INVALID_COMMAND, error.message, detail={"path": error.path})


_SURFACES: Final[dict[tuple[str, str], str]] = {}


def _surface(trigger: Trigger) -> str:
    """The surface as JSON text; it never changes for a trigger version."""
    key = (trigger.id, trigger.version)
    if key not in _SURFACES:
        _SURFACES[key] = json.dumps(trigger.surface.wire(), separators=(",", ":"))
    return _SURFACES[key]
