"""What is watched, and when it is a regression."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from runner.model.arms import CANARY, CONTROL
from runner.rollouts.counts import Counts, Watch
from runner.rollouts.plan import RolloutPlan
from runner.rollouts.statistics import factor, log_factor, null_share

_NAMES = {"costly": "cost"}
"""Of guards, where the events that they count are called otherwise."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one statistical guard knows.

    Attributes:
        guard: its name in the plan.
        max_ratio: what it allows.
        control, canary: users with such an event, each once, of those that were divided by chance.
        expected: how many of these the candidate would have, if it were just what is allowed.
        factor: the Bayes factor against that.
        needed: at which it is a regression.
    """

    guard: str
    max_ratio: float
    control: int
    canary: int
    expected: float
    factor: float
    needed: float

    @property
    def is_regression(self) -> bool:
        return self.factor >= self.needed

    def as_dict(self) -> dict[str, Any]:
        """For logs and answers; figures as people read them."""
        rounded = {
            name: float(f"{getattr(self, name):.4g}")
            for name in ("max_ratio", "expected", "factor", "needed")
        }
        return {**asdict(self), **rounded, "regression": self.is_regression}

    def sentence(self) -> str:
        """Why it is a regression."""
        if self.guard == "cost":
            more = f"more events above {self.max_ratio:g} times the usual cost than"
        elif self.max_ratio == 1:
            more = "more often than"
        else:
            more = f"more than {self.max_ratio:g} times as often as"
        return (
            f"{self.guard}: {more} the control; {self.canary} of {self.canary + self.control} users fell on "
            f"the candidate, where {self.expected:.1f} were expected (factor {self.factor:.3g}, needed "
            f"{self.needed:.3g})"
        )


def evidence(plan: RolloutPlan, counts: Counts) -> list[Evidence]:
    """Of each statistical guard of the plan."""
    needed = 1 / plan.alpha_each()
    found = []
    for kind, max_ratio in plan.guards.statistical.items():
        splits = counts.splits(kind)
        expected = math.fsum(
            (split.control + split.canary) * null_share(split.share, max_ratio) for split in splits
        )
        found.append(
            Evidence(
                guard=_NAMES.get(kind, kind),
                max_ratio=plan.guards.cost.max_ratio
                if kind == "costly" and plan.guards.cost is not None
                else max_ratio,
                control=sum(split.control for split in splits),
                canary=sum(split.canary for split in splits),
                expected=expected,
                factor=factor(log_factor(splits, max_ratio)),
                needed=needed,
            )
        )
    return found


def regression(found: list[Evidence], watch: Watch) -> str | None:
    """Why the candidate does harm, in a sentence; None when it is not known to."""
    if watch.alarm is not None:
        return f"{watch.alarm.text} (execution {watch.alarm.execution_id})"
    return next((item.sentence() for item in found if item.is_regression), None)


def facts(found: list[Evidence], watch: Watch, counts: Counts) -> dict[str, Any]:
    """The evidence of a decision, as it is kept with it."""
    arms = {
        arm: {name: counts.total(arm, name) for name in ("events", "failed", "denied", "suspended", "costly")}
        for arm in (CONTROL, CANARY)
    }
    alarm = {} if watch.alarm is None else {"alarm": watch.alarm.model_dump(mode="json")}
    return {"arms": arms, "guards": [item.as_dict() for item in found], **alarm}
