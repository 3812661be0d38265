"""The states of a rollout. Every change is one transaction that has locked its row: it happens or it does
not, whatever process dies, and never twice.

    running --(enough)--> next stage … --> promoted
       |  \\--(regression, or somebody says so)--> rolled_back, aborted
       `--(too few, or somebody says so)--> paused --> running

A rollout that is paused keeps its share: nobody changes the version because of it, and the guards go on.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.jobs.queue import JobQueue
from runner.rollouts import shadowing
from runner.rollouts.counts import Counts, Watch
from runner.rollouts.guards import evidence, facts, regression
from runner.rollouts.plan import RolloutPlan, Stage
from runner.store.generations import bump
from runner.store.running_rollouts import ROLLOUT_KEY
from runner.store.sealed.sealing import ROLLOUT
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.columns import named_id, now
from runner.store.tables.models import ActionRow, ActionVersionRow
from runner.store.tables.rollouts import (
    ABORTED,
    ACTIVE,
    PAUSED,
    PROMOTED,
    ROLLED_BACK,
    RUNNING,
    RolloutDecisionRow,
    RolloutRow,
)

_log: Final = structlog.get_logger("actionbox.rollouts")
SERVICE: Final = "service"
"""The actor of decisions that nobody made but the service."""
_KEY_BYTES: Final = 32
_QUIET: Final = timedelta(minutes=2)


class NotActiveError(Exception):
    """The rollout is not in a state for that; the text says which one it is and in which."""


def active_rollout(session: Session, tenant: str, action_id: str, *, lock: bool = False) -> RolloutRow | None:
    """The one that runs or is paused."""
    query = select(RolloutRow).where(
        RolloutRow.tenant_id == tenant, RolloutRow.action_id == action_id, RolloutRow.state.in_(ACTIVE)
    )
    return session.scalar(query.with_for_update() if lock else query)


def start(
    session: Session,
    box: SecretBox,
    action: ActionRow,
    candidate: ActionVersionRow,
    plan: RolloutPlan,
    actor: str,
    revision: int | None,
    queue: JobQueue,
) -> RolloutRow:
    """A rollout of `candidate`, in its first stage.

    Args:
        action: locked, with a deployed version.
        revision: of the draft that equals the candidate; None when none does.
    """
    assert action.deployed_version_id is not None
    row = RolloutRow(
        tenant_id=action.tenant_id,
        id=named_id("rol"),
        action_id=action.id,
        trigger_id=action.trigger_id,
        plan=plan.model_dump(mode="json", exclude_none=True),
        control_id=action.deployed_version_id,
        candidate_id=candidate.id,
        candidate_revision=revision,
        state=RUNNING,
        stage=0,
        segments=[],
        first_segment=0,
        watch=Watch().model_dump(mode="json"),
        reason="",
        created_at=now(),
    )
    session.add(row)
    session.flush()
    box.replace(ROLLOUT, row.id, {ROLLOUT_KEY: secrets.token_bytes(_KEY_BYTES).hex()})
    _enter(session, queue, row, plan, 0, row.created_at)
    _decided(session, row, "start", actor, f"version {candidate.number}", {})
    return row


def pause(session: Session, row: RolloutRow, actor: str, reason: str, found: Mapping[str, Any]) -> None:
    """Stop going on to further stages. Raises `NotActiveError`."""
    _check(row, RUNNING)
    row.state, row.reason, row.paused_at = PAUSED, reason, now()
    _decided(session, row, "pause", actor, reason, found)


def resume(session: Session, queue: JobQueue, row: RolloutRow, actor: str, found: Mapping[str, Any]) -> None:
    """Go on. After a regression whoever resumes has looked at it: the guards begin anew, and a shadow stage
    is over. Raises `NotActiveError`."""
    _check(row, PAUSED)
    assert row.paused_at is not None
    plan, moment = RolloutPlan.model_validate(row.plan), now()
    counts = Counts.of(session, row)
    began_anew = regression(evidence(plan, counts), Watch.model_validate(row.watch)) is not None
    left = timedelta(hours=plan.stages[row.stage].hours) - (row.paused_at - row.stage_began_at)
    row.stage_began_at = moment if left <= timedelta() else moment - (row.paused_at - row.stage_began_at)
    row.state, row.reason, row.paused_at = RUNNING, "", None
    if plan.stages[row.stage].shadow is not None:
        harm = shadowing.seen(session, row, moment).harm
        if harm is not None:
            _enter(session, queue, row, plan, row.stage + 1, moment)
            _decided(session, row, "resume", actor, f"although {harm}", found)
            return
        shadowing.begin(session, queue, row, plan.stages[row.stage].events)
    if began_anew:
        watch = Watch.model_validate(row.watch)
        row.watch = watch.model_copy(update={"alarm": None, "streak": 0, "new_hosts": []}).model_dump(
            mode="json"
        )
        row.first_segment = len(row.segments)
        _segment(session, row, row.segments[-1]["percent"])
    _decided(session, row, "resume", actor, "the guards begin anew" if began_anew else "", found)


def promote(session: Session, row: RolloutRow, actor: str, reason: str, found: Mapping[str, Any]) -> None:
    """Make the candidate the deployed version. Raises `NotActiveError`."""
    _check(row, *ACTIVE)
    action = _action(session, row)
    row.stage = len(RolloutPlan.model_validate(row.plan).stages) - 1
    action.deployed_version_id = row.candidate_id
    action.deployed_revision = row.candidate_revision
    action.updated_at = now()
    _end(session, row, PROMOTED, reason)
    _decided(session, row, "promote", actor, reason, found)


def roll_back(session: Session, row: RolloutRow, actor: str, reason: str, found: Mapping[str, Any]) -> None:
    """Give everybody the control again, because of the evidence. Raises `NotActiveError`."""
    _check(row, *ACTIVE)
    _end(session, row, ROLLED_BACK, reason)
    _decided(session, row, "rollback", actor, reason, found)


def abort(session: Session, row: RolloutRow, actor: str, reason: str, found: Mapping[str, Any]) -> None:
    """The same, because somebody says so. Raises `NotActiveError`."""
    _check(row, *ACTIVE)
    _end(session, row, ABORTED, reason)
    _decided(session, row, "abort", actor, reason, found)


def go_on(session: Session, queue: JobQueue, row: RolloutRow, counts: Counts, moment: datetime) -> None:
    """Decide what the counts, the hours and the guards say. `row`: locked."""
    if row.state not in ACTIVE:
        return
    plan, watch = RolloutPlan.model_validate(row.plan), Watch.model_validate(row.watch)
    found, stage = evidence(plan, counts), plan.stages[row.stage]
    why, known, shadow = regression(found, watch), facts(found, watch, counts), shadowing.Seen()
    if stage.shadow is not None and row.state == RUNNING:
        shadow = shadowing.seen(session, row, moment)
        why, known = why or shadow.harm, {**known, **shadowing.facts(session, row)}
    if why is not None:
        _regressed(session, row, plan, why, known)
    elif row.state == RUNNING:
        _progress(session, queue, row, plan, counts, shadow, known, moment)


def _regressed(
    session: Session, row: RolloutRow, plan: RolloutPlan, why: str, known: Mapping[str, Any]
) -> None:
    if plan.on_regression == "rollback":
        roll_back(session, row, SERVICE, why, known)
    elif row.state == RUNNING:
        pause(session, row, SERVICE, f"regression: {why}", known)


def _progress(
    session: Session,
    queue: JobQueue,
    row: RolloutRow,
    plan: RolloutPlan,
    counts: Counts,
    shadow: shadowing.Seen,
    known: Mapping[str, Any],
    moment: datetime,
) -> None:
    """The next stage, if this one has enough; or too few."""
    stage = plan.stages[row.stage]
    have = shadow.compared if stage.shadow is not None else stage_events(row, counts)
    if shadow.failed is not None:
        pause(session, row, SERVICE, f"shadow: {shadow.failed}", known)
    elif have >= stage.events and not shadow.running:
        what = "recorded legs" if stage.shadow is not None else "events of the candidate"
        _advance(session, queue, row, plan, f"{have} {what} without a regression", known, moment)
    elif moment - row.stage_began_at >= timedelta(hours=stage.hours):
        reason = f"too few events: {have} of {stage.events} in {stage.hours:g} hours"
        if plan.on_too_few == "rollback":
            roll_back(session, row, SERVICE, reason, known)
        else:
            pause(session, row, SERVICE, reason, known)
    elif shadow.again:
        shadowing.begin(session, queue, row, stage.events)


def stage_events(row: RolloutRow, counts: Counts) -> int:
    """Events of the candidate that count for the present stage."""
    mine = [
        number
        for number, segment in enumerate(row.segments)
        if segment["stage"] == row.stage and number >= row.first_segment
    ]
    return counts.total("canary", "events", mine)


def due_at(row: RolloutRow) -> datetime:
    """When the present stage has had its hours."""
    hours = RolloutPlan.model_validate(row.plan).stages[row.stage].hours
    return row.stage_began_at + timedelta(hours=hours)


def _advance(
    session: Session,
    queue: JobQueue,
    row: RolloutRow,
    plan: RolloutPlan,
    reason: str,
    known: Mapping[str, Any],
    moment: datetime,
) -> None:
    index = row.stage + 1
    if plan.stages[index].promote is not None:
        promote(session, row, SERVICE, reason, known)
        return
    _enter(session, queue, row, plan, index, moment)
    _decided(session, row, "stage", SERVICE, f"{reason}; now {in_words(plan.stages[index])}", known)


def _enter(
    session: Session, queue: JobQueue, row: RolloutRow, plan: RolloutPlan, index: int, moment: datetime
) -> None:
    stage = plan.stages[index]
    row.stage, row.stage_began_at = index, moment
    _segment(session, row, 0.0 if stage.canary is None else stage.canary.percent)
    if stage.shadow is not None:
        shadowing.begin(session, queue, row, stage.events)


def _segment(session: Session, row: RolloutRow, percent: float) -> None:
    """From now on counts are kept apart from those before."""
    entry = {"stage": row.stage, "percent": percent, "from": row.stage_began_at.isoformat()}
    row.segments = [*row.segments, entry]
    bump(session, row.tenant_id, row.trigger_id)


def _end(session: Session, row: RolloutRow, state: str, reason: str) -> None:
    row.state, row.reason, row.paused_at, row.ended_at = state, reason, None, now()
    bump(session, row.tenant_id, row.trigger_id)


def _action(session: Session, row: RolloutRow) -> ActionRow:
    action = session.get(ActionRow, (row.tenant_id, row.action_id))
    assert action is not None, "a rollout goes with its Action"
    return action


def _check(row: RolloutRow, *states: str) -> None:
    if row.state not in states:
        raise NotActiveError(f"rollout {row.id} is {row.state.replace('_', ' ')}")


def _decided(
    session: Session, row: RolloutRow, decision: str, actor: str, reason: str, found: Mapping[str, Any]
) -> None:
    action = _action(session, row)
    row.updated_at = now()
    entry = RolloutDecisionRow(
        tenant_id=row.tenant_id,
        id=named_id("rod"),
        rollout_id=row.id,
        action_id=row.action_id,
        action_name=action.name,
        trigger_id=row.trigger_id,
        at=row.updated_at,
        decision=decision,
        actor=actor,
        stage=row.stage,
        reason=reason,
        evidence=dict(found),
    )
    session.add(entry)
    session.flush()
    session.info.setdefault("rollout_decisions", []).append(entry)


def told(session: Session) -> list[RolloutDecisionRow]:
    """Write the decisions of a transaction that is committed into the service's log; and what they are."""
    made: list[RolloutDecisionRow] = session.info.pop("rollout_decisions", [])
    for entry in made:
        _log.info(
            "rollout decided",
            tenant=entry.tenant_id,
            rollout=entry.rollout_id,
            action=entry.action_name,
            trigger=entry.trigger_id,
            decision=entry.decision,
            actor=entry.actor,
            stage=entry.stage,
            reason=entry.reason,
            evidence=entry.evidence,
        )
    return made


def in_words(stage: Stage) -> str:
    """`canary 5 %`."""
    return f"canary {stage.canary.percent:g} %" if stage.canary is not None else stage.kind


def is_quiet(row: RolloutRow, moment: datetime) -> bool:
    """It ended so long ago that no leg runs any more that it has chosen a version for."""
    return row.ended_at is not None and moment - row.ended_at > _QUIET


def is_shadowing(row: RolloutRow) -> bool:
    """Its present stage is a shadow one, whose run tells nobody that it has ended."""
    return "shadow" in row.segments[-1]
