"""What a tenant asks of a rollout: the body of `POST …/rollouts`, checked.

Strict as all bodies of the Management API: no value is converted, and a property that is not listed is
refused.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from runner.model.traits import MAX_TRAITS, EventPath, Trait

DEFAULT_KEY: Final = "user.user_id"
MAX_STAGES: Final = 20
MAX_COHORTS: Final = 10
MAX_EVENTS: Final = 1_000_000
MAX_HOURS: Final = 24 * 90
DEFAULT_HOURS: Final = 24.0 * 7
_COHORT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Hours = Annotated[float, Field(gt=0, le=MAX_HOURS, allow_inf_nan=False)]
Events = Annotated[int, Field(ge=1, le=MAX_EVENTS)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class CandidateInput(_Part):
    """The version to roll out: the draft, or a copy of an older version by its number."""

    draft: Literal[True] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.draft is None) is (self.version is None):
            raise ValueError('say {"draft": true} or {"version": NUMBER}')
        return self


class ShadowStage(_Part):
    """Run the candidate beside the control on recorded events, without effects. `hours`: how long it may
    take until there are enough."""

    events: Events
    hours: Hours = DEFAULT_HOURS


class CanaryStage(_Part):
    """Give the candidate a share of the events.

    Attributes:
        percent: of the users; above 0 and below 100.
        events: that the candidate must have handled in this stage before the next one.
        hours: how long it may take until there are enough.
    """

    percent: Annotated[float, Field(gt=0, lt=100, allow_inf_nan=False)]
    events: Events
    hours: Hours = DEFAULT_HOURS


class Stage(_Part):
    """One of the three kinds."""

    shadow: ShadowStage | None = None
    canary: CanaryStage | None = None
    promote: Literal[True] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(kind is not None for kind in (self.shadow, self.canary, self.promote)) != 1:
            raise ValueError("a stage is one of shadow, canary and promote")
        return self

    @property
    def hours(self) -> float:
        """How long it may take; 0 for the last one."""
        part = self.shadow or self.canary
        return 0.0 if part is None else part.hours

    @property
    def events(self) -> int:
        """Events that it needs; 0 for the last one."""
        part = self.shadow or self.canary
        return 0 if part is None else part.events

    @property
    def kind(self) -> str:
        return "shadow" if self.shadow else "canary" if self.canary else "promote"


class RatioGuard(_Part):
    """More than `max_ratio` times as often as the control is a regression; by default more often at all."""

    max_ratio: Ratio = 1.0


class CostGuard(_Part):
    """Events that take more than `max_ratio` times the control's usual processor time are costly; more of
    them than the control has is a regression."""

    max_ratio: Annotated[float, Field(gt=1, le=100, allow_inf_nan=False)] = 1.5


class HostGuard(_Part):
    """Hosts that the candidate may ask and the control never asked."""

    max: Annotated[int, Field(ge=0, le=100)] = 0


class Guards(_Part):
    """What is watched. Left out of the body: `failed`, `denied`, `cost` and `new_hosts` as they are by
    default; given: exactly these."""

    failed: RatioGuard | None = None
    denied: RatioGuard | None = None
    suspended: RatioGuard | None = None
    cost: CostGuard | None = None
    new_hosts: HostGuard | None = None

    @property
    def statistical(self) -> dict[str, float]:
        """The guards that share alpha: the most that each allows, as a ratio of rates."""
        named = {"failed": self.failed, "denied": self.denied, "suspended": self.suspended}
        found = {name: guard.max_ratio for name, guard in named.items() if guard is not None}
        return found if self.cost is None else {**found, "costly": 1.0}


_USUAL: Final = Guards(failed=RatioGuard(), denied=RatioGuard(), cost=CostGuard(), new_hosts=HostGuard())


class CohortInput(_Part):
    """Users with one of the traits `who`; `percent` of them get the candidate. Without `who`, and as a plain
    number: those that have a role of the cohort's name."""

    percent: Percent
    who: Annotated[list[Trait], Field(min_length=1, max_length=MAX_TRAITS)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, given: Any) -> Any:
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        return {"percent": given} if is_number else given

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, handler(core)]}


def _stages(stages: list[Stage]) -> list[Stage]:
    """Raises `ValueError` for stages that are not in order, or never end."""
    *before, last = stages
    if last.promote is None:
        raise ValueError('the last stage is {"promote": true}: the rollout would never end')
    if not before:
        raise ValueError("a shadow or canary stage comes before promote; to have none, deploy")
    percent = 0.0
    for index, stage in enumerate(before):
        if stage.promote is not None:
            raise ValueError(f"promote is the last stage; stage {index} promotes and others follow")
        if stage.shadow is not None and percent:
            raise ValueError(f"shadow stages come before canary stages; stage {index} comes after one")
        if stage.canary is not None:
            if stage.canary.percent <= percent:
                raise ValueError(
                    f"the percent of each canary stage is above the one before; stage {index} has "
                    f"{stage.canary.percent:g} after {percent:g}"
                )
            percent = stage.canary.percent
    return stages


def _cohorts(given: dict[str, Any]) -> dict[str, Any]:
    for name in given:
        if not _COHORT_NAME.fullmatch(name):
            raise ValueError("a cohort's name has 1 to 64 letters, digits, `.`, `_` or `-`")
    return given


class RolloutPlan(_Part):
    """Body of `POST /actions/actions/{id}/rollouts`.

    Attributes:
        stages: in order; the last one promotes.
        key: path of what tells users apart in the trigger's events. One user is always on the same arm.
        cohorts: users of whom another share gets the candidate, by name; the first that holds counts.
        alpha: the chance, at most, that a candidate is rolled back that is no worse.
        guards: what is watched.
        lockout: whoever must not be denied by the candidate: one denial rolls back.
        on_regression: `pause` leaves users where they are until somebody decides.
        on_too_few: what happens when a stage has not had enough events in its hours.
    """

    candidate: CandidateInput = CandidateInput(draft=True)
    stages: Annotated[list[Stage], Field(min_length=1, max_length=MAX_STAGES), AfterValidator(_stages)]
    key: EventPath = DEFAULT_KEY
    cohorts: Annotated[dict[str, CohortInput], Field(max_length=MAX_COHORTS), AfterValidator(_cohorts)] = {}
    alpha: Annotated[float, Field(gt=0, le=0.2, allow_inf_nan=False)] = 0.01
    guards: Guards = _USUAL
    lockout: Annotated[list[Trait], Field(max_length=MAX_TRAITS)] = []
    on_regression: Literal["rollback", "pause"] = "rollback"
    on_too_few: Literal["pause", "rollback"] = "pause"

    def planned_events(self) -> int:
        """Events that the candidate is to handle in all canary stages together."""
        return sum(stage.events for stage in self.stages if stage.canary is not None)

    def alpha_each(self) -> float:
        """The part of alpha that each statistical guard has."""
        return self.alpha / max(1, len(self.guards.statistical))
