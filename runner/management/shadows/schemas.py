"""Bodies and answers of the routes of shadows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import AwareDatetime, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from runner.http.answer_types import Count, Instant, TriggerId, Uuid, closed
from runner.management.base.schemas import Body, Code
from runner.shadow.differences import Cause
from runner.shadow.rules import MAX_RULES

MAX_LAST = 5_000
DEFAULT_LAST = 500
MAX_LIVE_HOURS = 24 * 7
State = Literal["queued", "running", "done", "failed", "canceled"]
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class ShadowCandidate(Body):
    """The draft as it is now, a version, or a source to run in place of the draft's."""

    draft: Literal[True] | None = None
    version_id: Annotated[str, Field(max_length=64)] | None = None
    code: Annotated[Code, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(item is not None for item in (self.draft, self.version_id, self.code)) != 1:
            raise ValueError('give one of "draft": true, a version_id and a code')
        return self


class IgnoreInput(Body):
    """A difference that is expected: of a cause, or of all; at a path, in which `*` stands for any text."""

    model_config = ConfigDict(extra="forbid", strict=False, hide_input_in_errors=True)

    cause: Cause | None = None
    path: _Text = "*"
    owner: _Text
    until: date
    reason: Annotated[str, Field(max_length=500)] = ""


class CreateShadow(Body):
    """`last`: of the executions on record, the newest first; `since`: only those recorded then or later;
    `live_hours`: those that come, for so long, and none that came before."""

    candidate: ShadowCandidate
    last: Annotated[int, Field(ge=1, le=MAX_LAST)] = DEFAULT_LAST
    since: Annotated[AwareDatetime, Field(strict=False)] | None = None
    live_hours: Annotated[float, Field(gt=0, le=MAX_LIVE_HOURS)] | None = None
    ignore: Annotated[list[IgnoreInput], Field(max_length=MAX_RULES)] = Field(default_factory=list)


@closed
class ShadowGroup(TypedDict):
    """Differences of one cause at one path. `executions`: the first three; `unproven`: of `count`, where it
    follows from a request that the record has no answer to."""

    cause: Cause
    path: str
    count: Count
    unproven: Count
    executions: list[str]


@closed
class ShadowIgnored(TypedDict):
    """An ignore rule, and in how many legs it expected something; an `expired` one is not applied."""

    cause: NotRequired[Cause]
    path: str
    owner: str
    until: str
    reason: str
    count: Count
    expired: bool


@closed
class ShadowVersion(TypedDict):
    """What runs: the draft, a version, or the draft with a source of its own (`code`)."""

    draft: NotRequired[bool]
    version_id: NotRequired[Uuid]
    code: NotRequired[bool]


@closed
class Shadow(TypedDict):
    """A shadow run.

    `done`: legs that were looked at; `compared`: of these, those that could be. `causes`: of the legs that
    differ, by what each is put down to. `bound`: if none differs, the rate of difference is below this with
    95 % confidence (3/n). `self_checks`: legs on which what is on record was run against itself, `faults`:
    differences of these, which are faults of the service."""

    id: Uuid
    action_id: Uuid
    trigger_id: TriggerId
    candidate: ShadowVersion
    last: Count
    since: NotRequired[Instant]
    live_until: NotRequired[Instant]
    state: State
    error: NotRequired[str]
    done: Count
    compared: Count
    different: Count
    skipped: dict[str, int]
    causes: dict[str, int]
    bound: NotRequired[float]
    self_checks: Count
    faults: list[ShadowGroup]
    ignored: list[ShadowIgnored]
    created_at: Instant
    updated_at: Instant


@closed
class ShadowList(TypedDict):
    """The newest first."""

    shadows: list[Shadow]


@closed
class ShadowDifferences(TypedDict):
    """Groups, by weight of the cause and then by count."""

    differences: list[ShadowGroup]


class Lockout(TypedDict):
    """Users who must never be kept out: `rules` over the event of their login, and how many of the `last`
    logins are looked at as well. Without a list deploys are not looked at."""

    rules: list[dict[str, Any]]
    last: Count
