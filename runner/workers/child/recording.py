"""What a worker writes down of a leg, after its outcome has been sent: nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runner.flow.leg_trace import LegTrace
from runner.model.outcome import FlowOutcome
from runner.records.policy import Wish
from runner.replay.record import unstamped_record

NOT_SENT: Final = {"actions", "digest", "parts"}
"""What the service adds itself: sources, which a worker has without the bundles of their packages, and
digests of what it has sealed."""


def recorded(wish: Wish, trace: LegTrace, outcome: FlowOutcome) -> bytes | None:
    """JSON of the leg's record without `NOT_SENT`, secrets marked; None when it is larger than wished."""
    if _least_bytes(trace, wish.most_bytes) > wish.most_bytes:
        return None
    record = unstamped_record(trace, outcome, keep_secrets=False)
    text = record.model_dump_json(by_alias=True, exclude=NOT_SENT).encode()
    return text if len(text) <= wish.most_bytes else None


def _least_bytes(trace: LegTrace, most: int) -> int:
    """What the texts of the journals take at least, counted until they are more than `most`: a journal of
    megabytes is not to be written down to find out that it is too large."""
    total = 0
    for execution in trace.executions:
        for entry in execution.journal.entries:
            total += _texts(entry.arguments.values()) + _texts(entry.result.values())
            if total > most:
                return total
    return total


def _texts(values: Iterable[object]) -> int:
    return sum(len(value) for value in values if isinstance(value, str))
