"""Body and answer of the replay of an execution."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import Field, model_validator
from typing_extensions import TypedDict

from runner.http.answer_types import Count, Number, closed
from runner.management.base.schemas import Body
from runner.shadow.differences import Cause

MAX_ANSWERS = 50


class ReplayCandidate(Body):
    """What runs in the place of the Action that ran: its draft as it is now, or a version of it. An Action
    that was not part of the flow runs after the others."""

    action_id: Annotated[str, Field(max_length=64)]
    draft: Literal[True] | None = None
    version_id: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.draft is None) == (self.version_id is None):
            raise ValueError('give either "draft": true or a version_id')
        return self


class AnswerInput(Body):
    """Another answer to a recorded call: `entry` is its `sequence` in the journal of an execution of a leg.

    `answer` of a request (`start`): `{"status", "headers", "body"}` or `{"error": message}`; of
    `api.cache.get`, groups and roles: what it returns; of the wall clock: milliseconds since 1970."""

    leg: Annotated[int, Field(ge=1, le=1_000)]
    execution: Annotated[int, Field(ge=0, le=1_000)]
    entry: Annotated[int, Field(ge=1, le=10_000_000)]
    answer: Any


class ReplayExecution(Body):
    """Nothing is sent and nothing is applied. Without a candidate what ran then runs again. With `answers`,
    only their legs run."""

    candidate: ReplayCandidate | None = None
    answers: Annotated[list[AnswerInput], Field(max_length=MAX_ANSWERS)] = Field(default_factory=list)


@closed
class ReplayDifference(TypedDict):
    """One difference of a leg. `proof`: false for what follows from a request that the record has no answer
    to."""

    cause: Cause
    path: str
    recorded: str
    now: str
    proof: bool


@closed
class ReplayUnanswered(TypedDict):
    """A request or a question that the record has no answer to, by the Action at index `action`."""

    action: Count
    what: str


@closed
class ReplayRun(TypedDict):
    """What one run of the Action at index `action` did, call by call."""

    action: Count
    journal: Annotated[dict[str, Any], Field(description="As `executions[].journal` of a record.")]


@closed
class ReplayLeg(TypedDict):
    """One leg. `outcome`: in the form of the record's; `incomparable`: the code of a failure that is chance,
    when the recorded leg met one."""

    number: Number
    incomparable: NotRequired[str]
    differences: list[ReplayDifference]
    unanswered: list[ReplayUnanswered]
    outcome: dict[str, Any]
    executions: list[ReplayRun]


@closed
class Replayed(TypedDict):
    """A replay. `same`: nothing differs in any leg. `what_if`: with other answers than those on record."""

    execution_id: str
    form: Literal["redacted", "plain"]
    what_if: bool
    same: bool
    legs: list[ReplayLeg]
