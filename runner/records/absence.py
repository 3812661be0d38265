"""Why an execution has no record: never kept, lost, erased, expired; in words for whoever asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from runner.records.states import KEPT, LARGE, NO, WAITS, WORKER, RecordState
from runner.store.tables.records import RecordRow
from runner.store.tables.runs import ExecutionRow

ERASED: Final = "erased"
OVER_QUOTA: Final = "quota"


@dataclass(frozen=True, slots=True)
class Absence:
    """Attributes:
    was_there: there was a record, and it is gone.
    code: stable; `message`: for people.
    """

    was_there: bool
    code: str
    message: str


def absence(execution: ExecutionRow, rows: Sequence[RecordRow], days: float, now: datetime) -> Absence:
    """Why nothing of `rows`, which are all that is stored of the execution, is its record. `days`: how long
    the tenant's records stay."""
    gone = {row.gone for row in rows}
    if ERASED in gone:
        return Absence(
            True, "record_erased", "The record of this execution was erased, with its user's others."
        )
    if OVER_QUOTA in gone:
        return Absence(
            True,
            "record_over_quota",
            "The record of this execution has gone for newer ones: the tenant's quota for records was full.",
        )
    state = RecordState.read(execution.record)
    if state is None:
        return _never("No Action ran to its end in this execution, or an earlier release ran it.")
    policy = f'the policy "{state.policy}", which was in force when it began'
    if state.state in KEPT:
        if execution.created_at + timedelta(days=days) <= now:
            return Absence(
                True,
                "record_expired",
                f"The record of this execution has expired: the tenant's records are kept for {days:g} days.",
            )
        return Absence(
            False,
            "record_lost",
            f"This execution was to be kept ({state.state}, by {policy}), and its record was lost: the queue "
            "was full, the database did not take it, or the service ended before it was stored.",
        )
    if state.state == WAITS or any(row.reason == WAITS for row in rows):
        return Absence(
            False,
            "record_undecided",
            f"The flow is suspended, or was never resumed: its record is kept if {policy}, keeps its end.",
        )
    return _never(_WORDS[state.state].format(policy=policy))


def _never(message: str) -> Absence:
    return Absence(False, "record_not_kept", message)


_WORDS: Final = {
    NO: "This execution was not kept: {policy}, does not keep one that ended so and is not in its sample.",
    LARGE: "This execution was not kept: its record is larger than `record_leg_kb` of the service allows.",
    WORKER: "This execution was not kept: its worker was stopped, or could not write its record down.",
}
