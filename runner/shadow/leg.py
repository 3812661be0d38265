"""One recorded leg, and what another version does on it: the unit that workers run and reports count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.replay.record import FlowRecord
from runner.shadow.differences import Cause, Difference, differences, incomparable
from runner.shadow.run import Secrets, run_on

SELF_CHECKS: Final = 100
"""One leg in so many is also run with the recorded sources."""
MAX_DIFFERENCES: Final = 200
"""Of one leg that are kept, the weightiest first."""


@dataclass(frozen=True, slots=True)
class LegShadow:
    """The result of one leg.

    Attributes:
        skipped: why it cannot be compared; None when it was.
        differences: by weight.
        self_check: differences of the recorded sources from their own record, which are faults of ours; None
            when they were not run.
        was, now: the decision on record, and the one that came out.
    """

    skipped: str | None = None
    differences: tuple[Difference, ...] = ()
    self_check: tuple[Difference, ...] | None = None
    was: str = ""
    now: str = ""

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
