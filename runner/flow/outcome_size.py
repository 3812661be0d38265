"""Size caps of the outcome of a leg: an outcome is read whole by a worker's parent and by the platform, and
what waits for a user is read whole to go on."""

from __future__ import annotations

from typing import Any, Final

from runner.flow.leg import LegEnd
from runner.model.action import Action
from runner.model.caps import MAX_OUTCOME_BYTES
from runner.model.outcome import ActionRecord, Decision, FlowOutcome, Status
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.json_text import utf8_length

_LONGEST: Final = 6
"""Bytes that JSON takes for one character (`\\u0000`), at most."""
_ITEM: Final = 128
"""What a log line or a command costs beside its texts, and more than a small value does."""


def passes(outcome: FlowOutcome, end: LegEnd, cap: int | None = None) -> bool:
    """Whether the outcome of `end` is within its cap (`MAX_OUTCOME_BYTES`), or another `cap`. Nearly all are
    known to be without being written."""
    cap = MAX_OUTCOME_BYTES if cap is None else cap
    most = sum(map(_record_weight, end.records))
    most += sum(_weight(command.arguments) for command in end.state.commands)
    if most * _LONGEST < cap:
        return True
    return utf8_length(outcome.to_json()) <= cap


def over(end: LegEnd, actions: tuple[Action, ...], what: str, limit: str, most: int) -> LegEnd:
    """The leg that failed because `what` is larger than `most` bytes: without what its Actions said and asked
    for, and with the blame on the one that did most of it.

    Args:
        what: begins the sentence, such as "The outcome of this flow".
        limit: its name in the failure's detail.
    """
    heaviest = max(end.records, key=_record_weight).index
    failure = Failure(
        FailureCode.OUTPUT,
        f"{what} is larger than {most} bytes of JSON; most of it is of {actions[heaviest].name}.",
        detail={"limit": limit, "value": most},
    )
    return LegEnd(
        decision=Decision.FAILED,
        state=end.state,
        records=tuple(
            _emptied(record, failure if record.index == heaviest else None) for record in end.records
        ),
        failure=failure,
        failed_action=heaviest,
        wall_ms=end.wall_ms,
    )


def _emptied(record: ActionRecord, failure: Failure | None) -> ActionRecord:
    cut = record.logs_cut_bytes + sum(utf8_length(line.text) for line in record.logs)
    facts: dict[str, Any] = {"logs": (), "logs_cut_bytes": cut, "commands": ()}
    if failure is not None:
        facts |= {"status": Status.FAILED, "failure": failure}
    return record.model_copy(update=facts)


def _record_weight(record: ActionRecord) -> int:
    """Characters of a record, roughly; not less than they are."""
    logs = sum(len(line.text) + _ITEM for line in record.logs)
    return logs + sum(_weight(command.arguments) + _ITEM for command in record.commands) + 8 * _ITEM


def _weight(value: Any) -> int:
    if isinstance(value, str):
        return len(value) + 8
    if isinstance(value, dict):
        return 8 + sum(len(key) + 8 + _weight(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return 8 + sum(map(_weight, value))
    return 24 + value.bit_length() // 3 if isinstance(value, int) else 24
