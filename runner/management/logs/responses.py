"""Responses about the tenant's log; see `runner.management.base.responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Count, Instant, Number, TriggerId, Uuid, closed
from runner.model.arms import Arm


@closed
class Executions(TypedDict):
    """Ids for `GET /actions/executions/{id}`."""

    executions: list[str]


@closed
class CallingHook(TypedDict):
    """The hook of an identity provider that called for an execution. `result`: what the provider was told."""

    provider: str
    hook: str
    result: NotRequired[str]


@closed
class ExecutionDetails(TypedDict):
    """Of an execution that has ended."""

    trigger_id: TriggerId
    actions: Executions
    hook: NotRequired[CallingHook]


@closed
class ActionError(TypedDict):
    """The error that an Action failed with. `code`: one of the failure codes."""

    name: str
    message: str
    code: str
    stack: str


@closed
class FailureDetails(TypedDict):
    """Of an Action that failed."""

    trigger_id: TriggerId
    execution_id: str
    action_id: Uuid
    action_name: str
    version_id: Uuid
    version_number: NotRequired[Number]
    rollout_id: NotRequired[str]
    arm: NotRequired[Arm]
    arm_reason: NotRequired[str]
    binding_id: NotRequired[Uuid]
    error_class: Literal["platform_error", "action_timeout", "action_error", "rate_limited"]
    action_error: ActionError
    hook: NotRequired[CallingHook]


@closed
class RolloutDetails(TypedDict):
    """Of a decision on a rollout, with its evidence. (Ours.)"""

    trigger_id: TriggerId
    action_id: Uuid
    action_name: str
    rollout_id: str
    decision: str
    by: str
    stage: Count
    reason: str
    evidence: dict[str, Any]


LogId = Annotated[str, Field(pattern="^[0-9]{16}-[0-9]{3,}-[A-Za-z0-9_-]+$")]


@closed
class Log(TypedDict):
    """An entry; which members are there, `fields` may say."""

    date: NotRequired[Instant]
    type: NotRequired[Annotated[str, Field(description="`actions_execution_failed`, `s`, `f`, `seccft`, …")]]
    description: NotRequired[str]
    tenant_name: NotRequired[str]
    details: NotRequired[ExecutionDetails | FailureDetails | RolloutDetails]
    log_id: NotRequired[LogId]
    _id: NotRequired[LogId]


@closed
class LogPage(TypedDict):
    """A page of entries, with `include_totals`."""

    start: Count
    limit: Count
    length: Count
    total: Count
    logs: list[Log]
