"""Responses about rollouts; see `runner.management.base.responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from runner.http.answer_types import Count, Instant, Number, TriggerId, Uuid, closed
from runner.management.base.responses import Page
from runner.model.arms import Arm

State = Literal["running", "paused", "promoted", "rolled_back", "aborted"]
RolloutId = Annotated[str, Field(pattern="^rol_[A-Za-z0-9]+$")]
Decided = Literal["start", "stage", "pause", "resume", "promote", "rollback", "abort"]


@closed
class RolloutVersion(TypedDict):
    """A version that takes part. `number`: absent when it was deleted."""

    version_id: Uuid
    number: NotRequired[Number]


class _Rollout(TypedDict):
    id: RolloutId
    action_id: Uuid
    trigger_id: TriggerId
    state: State
    stage: Annotated[Count, Field(description="Index of the present stage.")]
    control: RolloutVersion
    candidate: RolloutVersion
    plan: Annotated[dict[str, Any], Field(description="As it was asked for, with defaults.")]
    created_at: Instant
    updated_at: Instant
    reason: NotRequired[Annotated[str, Field(description="Why it is in its state.")]]
    ended_at: NotRequired[Instant]


@closed
class RolloutItem(_Rollout):
    """A rollout as lists show it."""


@closed
class RolloutList(Page):
    """A page of an Action's rollouts, newest first."""

    rollouts: list[RolloutItem]


@closed
class StageView(TypedDict):
    """One stage. `events`, `of`: how many it has had, and how many it needs."""

    kind: Literal["shadow", "canary", "promote"]
    state: Literal["waiting", "done", "running", "paused", "promoted", "rolled_back", "aborted"]
    percent: NotRequired[float]
    events: NotRequired[Count]
    of: NotRequired[Number]


@closed
class ArmView(TypedDict):
    """Counts of an arm. `group`: `share` for users whom chance divided, `cohort:NAME`, or `no_key` for events
    without the key. `costly`: above the usual cost."""

    group: str
    arm: Arm
    events: Count
    failed: Count
    denied: Count
    suspended: Count
    costly: Count


@closed
class EvidenceView(TypedDict):
    """The evidence of one guard: users with such an event, each once.

    `expected`: how many of them would be the candidate's, were it just what is allowed. `factor`: the Bayes
    factor against that; at `needed` it is a regression.
    """

    guard: Literal["failed", "denied", "suspended", "cost"]
    max_ratio: float
    control: Count
    canary: Count
    expected: float
    factor: float
    needed: float
    regression: bool


@closed
class AlarmView(TypedDict):
    """What needed no statistics, and the execution that raised it."""

    kind: Literal["death", "lockout", "run", "new_host"]
    text: str
    execution_id: str


@closed
class WatchView(TypedDict):
    """What is watched beside the counts."""

    failures_in_a_row: Count
    new_hosts: list[str]
    usual_cost_ms: NotRequired[float]
    alarm: NotRequired[AlarmView]


@closed
class NextView(TypedDict):
    """The next step, why it has not come, and when the present stage has had its time."""

    step: str
    waits: str
    until: NotRequired[Instant]


@closed
class DecisionView(TypedDict):
    """A decision, by whom (a client's id, or `service`), why, and with which evidence."""

    id: str
    at: Instant
    decision: Decided
    by: str
    stage: Count
    reason: str
    evidence: dict[str, Any]


@closed
class Rollout(_Rollout):
    """A rollout with its counts, its evidence and its decisions."""

    stages: list[StageView]
    arms: list[ArmView]
    evidence: list[EvidenceView]
    watch: WatchView
    next: NextView
    decisions: list[DecisionView]
