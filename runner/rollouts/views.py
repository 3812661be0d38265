"""Rollouts as the API shows them: the state, the counts of each arm, the evidence of each guard, and what the
rollout waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.model.arms import CANARY, CONTROL, NO_KEY, SHARE
from runner.rollouts.counts import KINDS, Counts, Watch
from runner.rollouts.guards import evidence
from runner.rollouts.lifecycle import due_at, in_words, stage_events
from runner.rollouts.plan import RolloutPlan
from runner.rollouts.shadowing import compared
from runner.store.tables.models import ActionVersionRow
from runner.store.tables.rollouts import PAUSED, PROMOTED, RUNNING, RolloutDecisionRow, RolloutRow


def brief(session: Session, row: RolloutRow) -> dict[str, Any]:
    """One rollout as lists show it."""
    return {
        "id": row.id,
        "action_id": row.action_id,
        "trigger_id": row.trigger_id,
        "state": row.state,
        "stage": row.stage,
        "control": _version(session, row, row.control_id),
        "candidate": _version(session, row, row.candidate_id),
        "plan": row.plan,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        **({"reason": row.reason} if row.reason else {}),
        **({"ended_at": moment(row.ended_at)} if row.ended_at is not None else {}),
    }


def whole(session: Session, row: RolloutRow) -> dict[str, Any]:
    """One rollout with everything."""
    plan, counts = RolloutPlan.model_validate(row.plan), Counts.of(session, row)
    watch = Watch.model_validate(row.watch)
    return {
        **brief(session, row),
        "stages": _stages(session, row, plan, counts),
        "arms": _arms(counts),
        "evidence": [item.as_dict() for item in evidence(plan, counts)],
        "watch": {
            "failures_in_a_row": watch.streak,
            "new_hosts": watch.new_hosts,
            **({} if watch.reference_ms is None else {"usual_cost_ms": watch.reference_ms}),
            **({} if watch.alarm is None else {"alarm": watch.alarm.model_dump(mode="json")}),
        },
        "next": _next(session, row, plan, counts),
        "decisions": [_decision(item) for item in _decisions(session, row)],
    }


def _version(session: Session, row: RolloutRow, version_id: str) -> dict[str, Any]:
    found = session.get(ActionVersionRow, (row.tenant_id, version_id))
    number = {} if found is None else {"number": found.number}
    return {"version_id": version_id, **number}


def _stages(session: Session, row: RolloutRow, plan: RolloutPlan, counts: Counts) -> list[dict[str, Any]]:
    shown = []
    for index, stage in enumerate(plan.stages):
        state = "waiting"
        if index < row.stage or row.state == PROMOTED:
            state = "done"
        elif index == row.stage:
            state = row.state
        segments = [number for number, item in enumerate(row.segments) if item["stage"] == index]
        item: dict[str, Any] = {"kind": stage.kind, "state": state}
        if stage.canary is not None:
            item |= {
                "percent": stage.canary.percent,
                "events": counts.total(CANARY, "events", segments),
                "of": stage.events,
            }
        elif stage.shadow is not None:
            item |= {"events": compared(session, row, index), "of": stage.events}
        shown.append(item)
    return shown


def _arms(counts: Counts) -> list[dict[str, Any]]:
    """Counts by group and arm over all stages: the groups that chance divided first."""
    found: dict[tuple[str, str], dict[str, int]] = {(SHARE, arm): _nothing() for arm in (CONTROL, CANARY)}
    for (_, group, arm), row in sorted(counts.rows.items()):
        into = found.setdefault((group, arm), _nothing())
        for name in into:
            into[name] += getattr(row, name)
    order = {SHARE: 0, NO_KEY: 2}
    groups = sorted(found, key=lambda of: (order.get(of[0], 1), *of))
    return [{"group": group, "arm": arm, **found[group, arm]} for group, arm in groups]


def _nothing() -> dict[str, int]:
    return dict.fromkeys(("events", *KINDS), 0)


def _next(session: Session, row: RolloutRow, plan: RolloutPlan, counts: Counts) -> dict[str, Any]:
    """The next step, and why it has not come."""
    if row.state == PAUSED:
        return {
            "step": "resume, promote or abort",
            "waits": f"the rollout is paused: {row.reason or 'somebody paused it'}",
        }
    if row.state != RUNNING:
        return {"step": "none", "waits": f"the rollout is over: {row.reason or row.state}"}
    stage, following = plan.stages[row.stage], plan.stages[row.stage + 1]
    if stage.shadow is not None:
        have = compared(session, row, row.stage)
        waits = f"{have} of {stage.events} recorded legs were run"
    else:
        have = stage_events(row, counts)
        waits = f"{have} of {stage.events} events of the candidate"
    without = counts.total_without_key()
    if stage.canary is not None and not have and without:
        waits += f"; {without} events have no {plan.key} and stay on the control"
    return {"step": in_words(following), "waits": waits, "until": moment(due_at(row))}


def _decisions(session: Session, row: RolloutRow) -> Sequence[RolloutDecisionRow]:
    return session.scalars(
        select(RolloutDecisionRow)
        .where(RolloutDecisionRow.tenant_id == row.tenant_id, RolloutDecisionRow.rollout_id == row.id)
        .order_by(RolloutDecisionRow.at, RolloutDecisionRow.id)
    ).all()


def _decision(row: RolloutDecisionRow) -> Mapping[str, Any]:
    return {
        "id": row.id,
        "at": moment(row.at),
        "decision": row.decision,
        "by": row.actor,
        "stage": row.stage,
        "reason": row.reason,
        "evidence": row.evidence,
    }
