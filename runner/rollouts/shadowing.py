"""Shadow stages: the candidate on recorded executions, before anybody meets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from runner.jobs.policy import SHADOW, shadow_job
from runner.jobs.queue import JobQueue
from runner.shadow.differences import Cause
from runner.shadow.report import ShadowReport
from runner.store.tables.columns import new_id
from runner.store.tables.rollouts import RolloutRow
from runner.store.tables.shadows import ShadowRow

_AGAIN: Final = timedelta(minutes=1)
"""From the end of a run that found too few executions to the next one."""
_HARM: Final = (Cause.DECISION, Cause.FAILURE)
_ENDED: Final = ("done", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a shadow stage has found so far.

    Attributes:
        compared: executions' legs that were run.
        harm: a regression, in a sentence; None when there is none.
        failed: why the run could not be made.
        again: it has ended with too few, some time ago.
        running: it has not ended.
    """

    compared: int = 0
    harm: str | None = None
    failed: str | None = None
    again: bool = False
    running: bool = False


def shadow_of(session: Session, row: RolloutRow) -> ShadowRow | None:
    """The latest run of the rollout's latest shadow stage."""
    ids = [segment["shadow"] for segment in row.segments if "shadow" in segment]
    return session.get(ShadowRow, (row.tenant_id, ids[-1])) if ids else None


def begin(session: Session, queue: JobQueue, row: RolloutRow, events: int) -> None:
    """Run the candidate on the latest `events` recorded executions, in the background."""
    shadow = ShadowRow(
        tenant_id=row.tenant_id,
        id=new_id(),
        action_id=row.action_id,
        trigger_id=row.trigger_id,
        candidate={"version_id": row.candidate_id},
        wanted={"last": events},
        rules=[],
        state="queued",
    )
    session.add(shadow)
    session.flush()
    queue.put(session, row.tenant_id, SHADOW, {"shadow_id": shadow.id}, job_id=shadow_job(shadow.id))
    *before, present = row.segments
    row.segments = [*before, {**present, "shadow": shadow.id}]


def seen(session: Session, row: RolloutRow, moment: datetime) -> Seen:
    """How far the present stage is."""
    shadow = shadow_of(session, row)
    if shadow is None:
        return Seen(failed="its run was deleted")
    if shadow.state not in _ENDED:
        return Seen(compared=_compared(shadow), running=True)
    if shadow.state != "done":
        return Seen(failed=shadow.error or "its run was ended")
    report = ShadowReport.model_validate_json(shadow.report or "")
    harm = sum(report.causes.get(cause, 0) for cause in _HARM)
    if harm:
        return Seen(
            report.compared,
            f"shadow: of {report.compared} recorded executions {harm} would end otherwise or fail",
        )
    return Seen(report.compared, again=moment - shadow.updated_at > _AGAIN)


def facts(session: Session, row: RolloutRow) -> dict[str, Any]:
    """What a decision keeps of it."""
    shadow = shadow_of(session, row)
    if shadow is None or shadow.report is None:
        return {}
    report = ShadowReport.model_validate_json(shadow.report)
    causes = {str(cause): count for cause, count in report.causes.items()}
    return {
        "shadow": {
            "id": shadow.id,
            "compared": report.compared,
            "different": report.different,
            "causes": causes,
        }
    }


def compared(session: Session, row: RolloutRow, stage: int) -> int:
    """Legs that the latest run of a stage has run."""
    ids = [item["shadow"] for item in row.segments if item["stage"] == stage and "shadow" in item]
    shadow = session.get(ShadowRow, (row.tenant_id, ids[-1])) if ids else None
    return 0 if shadow is None else _compared(shadow)


def _compared(shadow: ShadowRow) -> int:
    return 0 if shadow.report is None else ShadowReport.model_validate_json(shadow.report).compared
