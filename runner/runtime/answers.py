"""Types of what the runtime API answers. An outcome is `FlowOutcome`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import (
    Count,
    ExecutionError,
    ExecutionStatus,
    Instant,
    Number,
    TriggerId,
    Uuid,
    closed,
)
from runner.model.arms import Arm
from runner.model.outcome import Decision, FlowOutcome, LogRecord, Status
from sandbox.result import Statistics

JobState = Literal["ready", "running", "done", "dead"]


@closed
class FailureStory(TypedDict):
    """The error in the words of its language; `stack`: frames in the tenant's source, innermost first."""

    name: str
    message: str
    stack: list[str]


@closed
class ActionResult(TypedDict):
    """The result of one Action that ran: its times, console output, statistics."""

    action_name: str
    action_id: Uuid
    version_id: Uuid
    version_number: NotRequired[Number]
    rollout_id: NotRequired[Annotated[str, Field(description="While a rollout of the Action runs.")]]
    arm: NotRequired[Arm]
    arm_reason: NotRequired[str]
    binding_id: NotRequired[Uuid]
    status: Status
    started_at: Instant
    ended_at: Instant
    logs: list[LogRecord]
    error: NotRequired[ExecutionError]
    failure: NotRequired[FailureStory]
    statistics: NotRequired[Statistics]


@closed
class DroppedEffect(TypedDict):
    """What an Action asked for and the hook could not carry to its identity provider, and why."""

    effect: str
    name: NotRequired[str]
    reason: str


@closed
class HookCall(TypedDict):
    """The hook of an identity provider that called for an execution. `result`: what the provider was told;
    `dropped`: effects that it was not told."""

    provider: str
    hook: str
    result: NotRequired[str]
    dropped: NotRequired[list[DroppedEffect]]


class _Record(TypedDict):
    id: str
    trigger_id: TriggerId
    status: ExecutionStatus
    decision: Annotated[Decision | None, Field(description="Null while it has not run.")]
    results: list[ActionResult]
    created_at: Instant
    updated_at: Instant
    trace_id: NotRequired[Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="W3C trace context.")]]
    hook: NotRequired[HookCall]


@closed
class ExecutionItem(_Record):
    """An execution as lists and the live log show it."""


@closed
class ExecutionItems(TypedDict):
    """A page of executions, newest first. `next`: for the parameter `after`, while there are more."""

    executions: list[ExecutionItem]
    page: Count
    per_page: Number
    next: NotRequired[str]


@closed
class Job(TypedDict):
    """Asynchronous work."""

    id: str
    kind: Literal["flow", "notification", "build", "package-build", "shadow"]
    trigger_id: TriggerId | None
    execution_id: str | None
    state: JobState
    attempts: Count
    next_at: Instant
    last_error: str | None
    created_at: Instant
    updated_at: Instant


@closed
class JobItems(TypedDict):
    """A page of jobs, oldest first."""

    jobs: list[Job]
    page: Count
    per_page: Number


@closed
class StoredExecution(_Record):
    """One execution with its last outcome (without what would resume it) and its jobs."""

    outcome: FlowOutcome | None
    jobs: list[Job]


@closed
class Rerun(TypedDict):
    """A dead letter that runs again."""

    id: str
    state: Literal["ready"]
