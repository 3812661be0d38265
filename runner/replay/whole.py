"""Replaying all legs of an execution as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runner.flow.programs import ProgramCache
from runner.model.secret_names import SecretValues
from runner.replay.engines import OtherEngine
from runner.replay.logpoints.taps import Taps
from runner.replay.recorded import Recorded
from runner.replay.replay import Replay, replay
from runner.suspension.stores import PinnedAction

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first place at which an execution ran otherwise.

    Attributes:
        leg: number of the leg, from 1.
        where: the Action and the call, or the JSON path in the outcome.
    """

    leg: int
    where: str
    recorded: str
    now: str


@dataclass(frozen=True, slots=True)
class WholeReplay:
    """The result of replaying an execution. `legs`: in the order of the record's."""

    recorded: Recorded
    legs: tuple[Replay, ...]

    @property
    def same(self) -> bool:
        """Nothing differed in any leg."""
        return all(leg.same for leg in self.legs)

    @property
    def host_calls(self) -> int:
        return sum(leg.host_calls for leg in self.legs)

    @property
    def engines(self) -> tuple[OtherEngine, ...]:
        """Engines of this build that are not those that recorded."""
        return tuple(_once(engine for leg in self.legs for engine in leg.engines))

    @property
    def placeholders(self) -> tuple[tuple[str, str], ...]:
        """Secrets that nobody gave, as names of Action and secret."""
        return tuple(_once(pair for leg in self.legs for pair in leg.placeholders))

    def first(self) -> FirstDifference | None:
        """Where it first ran otherwise; None when it did not."""
        return next(self._differences(), None)

    def _differences(self) -> Iterator[FirstDifference]:
        for record, leg in zip(self.recorded.legs, self.legs, strict=True):
            for item in leg.divergences:
                found = item.divergence
                name = record.actions[item.action].name
                where = f"Action {item.action + 1} ({name}), call {found.position}"
                yield FirstDifference(record.number, where, found.expected, found.actual)
            for other in leg.differences:
                yield FirstDifference(record.number, other.path, other.expected, other.found)


def replay_all(
    recorded: Recorded,
    secrets: Callable[[PinnedAction], SecretValues] | None = None,
    programs: ProgramCache | None = None,
    *,
    without_secrets: bool = False,
    taps: Taps | None = None,
) -> WholeReplay:
    """Run every leg again, see `runner.replay.replay`. Raises `InputError` as it does."""
    if taps is not None:
        taps.prepare([action.source for action in recorded.legs[0].actions])
        programs = ProgramCache(taps.build)
    programs = programs or ProgramCache()
    legs = [
        replay(leg, secrets, programs, without_secrets=without_secrets, taps=taps) for leg in recorded.legs
    ]
    return WholeReplay(recorded, tuple(legs))


def _once(items: Iterator[_Item]) -> Sequence[_Item]:
    return list(dict.fromkeys(items))
