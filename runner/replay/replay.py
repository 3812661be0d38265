"""Running a record again: the same sources on the same state, every host call answered from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.flow.programs import ProgramCache
from runner.model.outcome import FlowOutcome
from runner.model.secret_names import SecretValues
from runner.replay.engines import OtherEngine, other_engines
from runner.replay.leg import journal_of, run_recorded, trigger_of
from runner.replay.logpoints.port import TappedPort
from runner.replay.logpoints.taps import Taps
from runner.replay.port import SessionPort
from runner.replay.record import (
    FIRST_SCHEMA,
    FlowRecord,
    comparable,
    digest,
    with_secrets,
)
from runner.replay.secrets import secrets_of
from runner.suspension.stores import PinnedAction
from runner.testing.cases.match import Difference, differences
from sandbox.core.caps import Limits
from sandbox.port.interface import ApiHost, ExecutionPort
from sandbox.port.journal import Journal
from sandbox.port.replay import Divergence


@dataclass(frozen=True, slots=True)
class ActionDivergence:
    """The point at which the run of one Action left its journal. `action`: index in the flow."""

    action: int
    divergence: Divergence


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay.

    Attributes:
        divergences: first call of each Action that differed from the recorded one.
        differences: between the recorded outcome and this one.
        host_calls: calls that were answered from the journals.
        engines: engines of this build that are not those that recorded.
        placeholders: secrets that nobody gave, as names of Action and secret.
        departures: first call of each Action that a lenient replay answered although its data differed.
        places: with `taps`, by execution and number of its call, the file and line that was passed before.
    """

    outcome: FlowOutcome
    divergences: tuple[ActionDivergence, ...]
    differences: tuple[Difference, ...]
    host_calls: int
    engines: tuple[OtherEngine, ...] = ()
    placeholders: tuple[tuple[str, str], ...] = ()
    departures: tuple[ActionDivergence, ...] = ()
    places: tuple[dict[int, str], ...] = ()

    @property
    def same(self) -> bool:
        """Nothing differed."""
        return not (self.divergences or self.departures or self.differences)


def replay(
    record: FlowRecord,
    secrets: Callable[[PinnedAction], SecretValues] | None = None,
    programs: ProgramCache | None = None,
    *,
    without_secrets: bool = False,
    lenient: bool = False,
    taps: Taps | None = None,
) -> Replay:
    """Run `record` again.

    Args:
        secrets: gives the secrets of an Action, for a record that does not hold them; those of a module
            under `actions:MODULE`.
        without_secrets: let placeholders stand for secrets that are missing. Where an Action only passes a
            secret on, nothing differs by that.
        lenient: see `sandbox.port.replay.ReplayPort`.
        taps: tells of lines that are passed; `programs` has to build with it.

    Raises:
        InputError: `missing_secrets`, `wrong_secret`, `invalid_record`.
    """
    trigger = trigger_of(record)
    given = secrets_of(record, secrets, without_secrets=without_secrets)
    record = with_secrets(record, given.values)
    world = _World(record, [journal_of(item) for item in record.executions], taps, lenient)
    actions = [pinned.action(values) for pinned, values in zip(record.actions, given.values, strict=True)]
    outcome = run_recorded(
        record, trigger, actions, programs, clock=world.read_clock, make_port=world.make_port
    )
    if taps is not None:
        outcome = taps.mended(outcome)
    return Replay(
        outcome=outcome,
        divergences=tuple(world.divergences()),
        differences=tuple(_compare(record, outcome)),
        host_calls=sum(sum(port.host_calls.values()) for _, port in world.ports),
        engines=other_engines(record.engines),
        placeholders=given.placeholders,
        departures=tuple(world.departures()),
        places=tuple(port.places if isinstance(port, TappedPort) else {} for _, port in world.ports),
    )


def _compare(record: FlowRecord, outcome: FlowOutcome) -> list[Difference]:
    now = comparable(outcome)
    if record.schema_id == FIRST_SCHEMA and digest(now) != record.digest:
        changed = "another digest: other secrets, or an altered record"
        return _differences(record, now) or [Difference("$", "the recorded outcome", changed)]
    return _differences(record, now)


def _differences(record: FlowRecord, now: dict[str, Any]) -> list[Difference]:
    exactly = differences({"$exactly": record.outcome}, now)
    return (differences(record.outcome, now) or exactly) if exactly else []


@dataclass(slots=True)
class _World:
    """Gives each execution its journal, in order, and the sessions the clock that they read then."""

    record: FlowRecord
    journals: Sequence[Journal]
    taps: Taps | None = None
    lenient: bool = False
    ports: list[tuple[int, SessionPort]] = field(default_factory=list)
    _readings: Iterator[float] = field(default_factory=lambda: iter(()))
    _last: float = 0.0

    def make_port(self, index: int, api: ApiHost, limits: Limits) -> ExecutionPort:  # noqa: ARG002
        """A `PortFactory`. An execution that was not recorded diverges at its first call."""
        number = len(self.ports)
        recorded = self.record.executions[number] if number < len(self.journals) else None
        fits = recorded is not None and recorded.action == index
        journal = self.journals[number] if fits else Journal()
        port = SessionPort(journal, api, lenient=self.lenient)
        if self.taps is not None:
            port = TappedPort(journal, api, index, self.taps)
        self._readings = iter(recorded.clock if recorded is not None else ())
        self.ports.append((index, port))
        return port

    def read_clock(self) -> float:
        """The sessions' clock as it was read at the time; it stands where more is read than before."""
        self._last = next(self._readings, self._last)
        return self._last

    def departures(self) -> Iterator[ActionDivergence]:
        for index, port in self.ports:
            if port.departure is not None:
                yield ActionDivergence(index, port.departure)

    def divergences(self) -> Iterator[ActionDivergence]:
        for index, port in self.ports:
            if port.divergence is not None:
                yield ActionDivergence(index, port.divergence)
        for recorded in self.record.executions[len(self.ports) :]:
            missing = Divergence(1, f"Action {recorded.action + 1} runs", "it does not run")
            yield ActionDivergence(recorded.action, missing)
