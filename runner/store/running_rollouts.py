"""Rollouts as flows need them: who gets the candidate now; and what was deployed before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.model.arms import Arms, Cohort
from runner.model.traits import Trait
from runner.store.tables.models import ActionVersionRow
from runner.store.tables.rollouts import ACTIVE, PROMOTED, RolloutRow

ROLLOUT_KEY: Final = "key"
"""Name of the secret that a rollout's arms are chosen with, in hex."""


@dataclass(frozen=True, slots=True)
class RunningRollout:
    """A rollout. `percent`: of the users that its candidate has now; 0 in a shadow stage."""

    id: str
    candidate_id: str
    segment: int
    percent: float
    plan: Mapping[str, Any]

    def arms(self, key: bytes) -> Arms:
        """How it divides events. The plan was checked when it came."""
        cohorts = tuple(
            Cohort(name, item["percent"], _traits(item.get("who") or [{"role": name}]))
            for name, item in self.plan["cohorts"].items()
        )
        return Arms(
            self.id,
            self.segment,
            self.percent,
            self.plan["key"],
            key,
            cohorts,
            _traits(self.plan["lockout"]),
        )


def _traits(items: Iterable[Mapping[str, Any]]) -> tuple[Trait, ...]:
    return tuple(Trait.model_validate(item) for item in items)


def running_rollouts(session: Session, tenant: str, actions: Iterable[str]) -> dict[str, RunningRollout]:
    """Those of `actions`, by their id."""
    rows = session.scalars(
        select(RolloutRow).where(
            RolloutRow.tenant_id == tenant,
            RolloutRow.action_id.in_(list(actions)),
            RolloutRow.state.in_(ACTIVE),
        )
    )
    return {
        row.action_id: RunningRollout(
            row.id, row.candidate_id, len(row.segments) - 1, row.segments[-1]["percent"], row.plan
        )
        for row in rows
    }


def version_before(session: Session, tenant: str, action_id: str, version_id: str) -> ActionVersionRow | None:
    """The version that was deployed before; a candidate that did not hold never was."""
    mine = (ActionVersionRow.tenant_id == tenant, ActionVersionRow.action_id == action_id)
    never = select(RolloutRow.candidate_id).where(
        RolloutRow.tenant_id == tenant, RolloutRow.action_id == action_id, RolloutRow.state != PROMOTED
    )
    number = select(ActionVersionRow.number).where(*mine, ActionVersionRow.id == version_id)
    return session.scalar(
        select(ActionVersionRow)
        .where(
            *mine,
            ActionVersionRow.number < number.scalar_subquery(),
            ActionVersionRow.id.not_in(never),
        )
        .order_by(ActionVersionRow.number.desc())
        .limit(1)
    )
