"""One recorded leg, and what another version does on it: the unit that workers run and reports count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter

from runner.flow.programs import ProgramCache
from runner.flow.redact import Redactor
from runner.model.action import Action
from runner.replay.record import FlowRecord, comparable
from runner.shadow.answers import OtherAnswer, with_answers
from runner.shadow.differences import Cause, Difference, differences, incomparable
from runner.shadow.run import Secrets, ShadowRun, Unanswered, run_on

SELF_CHECKS: Final = 100
"""One leg in so many is also run with the recorded sources."""
MAX_DIFFERENCES: Final = 200
"""Of one leg that are kept, the weightiest first."""


@dataclass(frozen=True, slots=True)
class RanAction:
    """What one run of the Action at index `action` did. `journal`: as `Journal.to_data` makes it."""

    action: int
    journal: Any


@dataclass(frozen=True, slots=True)
class LegRun:
    """All that a leg did, without secrets.

    Attributes:
        outcome: see `runner.replay.record.comparable`.
        executions: in the order in which they ran.
        unanswered: what the record does not know.
    """

    outcome: Any
    executions: tuple[RanAction, ...]
    unanswered: tuple[Unanswered, ...]


@dataclass(frozen=True, slots=True)
class LegShadow:
    """The result of one leg.

    Attributes:
        skipped: why it is not compared, or by chance only (`told_leg`); None when it is.
        differences: by weight.
        self_check: differences of the recorded sources from their own record, which are faults of ours; None
            when they were not run.
        was, now: the decision on record, and the one that came out.
        run: what it did, when that was asked for.
    """

    skipped: str | None = None
    differences: tuple[Difference, ...] = ()
    self_check: tuple[Difference, ...] | None = None
    was: str = ""
    now: str = ""
    run: LegRun | None = None

    @property
    def proven(self) -> bool:
        """The new decision does not follow from a request that the record has no answer to."""
        return all(item.proof for item in self.differences if item.cause is Cause.DECISION)


LEG_SHADOW: Final = TypeAdapter(LegShadow)


def shadow_leg(
    record: FlowRecord,
    actions: Sequence[Action],
    programs: ProgramCache | None = None,
    *,
    secrets: Secrets | None = None,
    control: Sequence[Action] | None = None,
    discreet: bool = False,
) -> LegShadow:
    """Run `actions` on `record` and compare.

    Args:
        secrets: see `run_on`.
        control: the Actions of the record, to be run as well: as a check of ourselves, and for the memory.
        discreet: see `differences`.

    Raises:
        InputError: as `run_on`.
    """
    reason = incomparable(record)
    if reason is not None:
        return LegShadow(skipped=reason)
    run = run_on(record, actions, programs, secrets=secrets)
    again = None if control is None else run_on(record, control, programs, secrets=secrets)
    return LegShadow(
        differences=differences(run, again, discreet=discreet)[:MAX_DIFFERENCES],
        self_check=None if again is None else differences(again, discreet=discreet)[:MAX_DIFFERENCES],
        was=str(record.outcome.get("decision", "")),
        now=str(run.outcome.decision),
    )


def told_leg(
    record: FlowRecord,
    actions: Sequence[Action],
    programs: ProgramCache | None = None,
    *,
    control: Sequence[Action] | None = None,
    answers: Sequence[OtherAnswer] = (),
) -> LegShadow:
    """Run `actions` on `record`, for somebody who may read it: with all that they did.

    Args:
        control: the Actions of the record. They are run as well, and compared with: in a redacted record
            the outcome has pseudonyms where a run computes something else.
        answers: change the record for `actions`, and not for `control`.

    Raises:
        InputError: as `run_on` and `with_answers`.
    """
    again = None if control is None else run_on(record, control, programs)
    outcome = record.outcome if again is None else comparable(again.outcome)
    changed = with_answers(record.model_copy(update={"outcome": outcome}), answers)
    run = run_on(changed, actions, programs)
    return LegShadow(
        skipped=incomparable(record),
        differences=differences(run, again)[:MAX_DIFFERENCES],
        was=str(outcome.get("decision", "")),
        now=str(run.outcome.decision),
        run=_told(run),
    )


def _told(run: ShadowRun) -> LegRun:
    hide = Redactor(action.every_secret for action in run.actions)
    return LegRun(
        outcome=hide.value(comparable(run.outcome)),
        executions=tuple(
            RanAction(item.action, hide.value(item.journal.to_data())) for item in run.executions
        ),
        unanswered=tuple(replace(item, what=hide.text(item.what)) for item in run.unanswered),
    )
