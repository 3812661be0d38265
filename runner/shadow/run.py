"""One shadow run: changed sources on a recorded leg. Nothing is sent or applied, and nothing waits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from runner.flow.programs import ProgramCache
from runner.model.action import Action
from runner.model.errors import InputError
from runner.model.outcome import FlowOutcome
from runner.model.secret_names import SecretValues, flattened
from runner.replay.leg import invalid_record, journal_of, run_recorded, trigger_of
from runner.replay.record import FlowRecord, with_secrets
from runner.replay.secrets import secrets_of
from runner.shadow.outside import RecordedAnswers
from runner.suspension.stores import PinnedAction
from sandbox.core.caps import Limits
from sandbox.port.interface import ApiHost, ExecutionPort
from sandbox.port.journal import Journal, JournalError
from sandbox.port.shadow import ShadowPort

Secrets = Callable[[PinnedAction], SecretValues]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request, or a question about the user, that the record has no answer to.

    Attributes:
        action: index of the Action that asked.
        what: such as `GET https://api.example/x`.
        commands: that this Action had recorded by then.
    """

    action: int
    what: str
    commands: int


@dataclass(frozen=True, slots=True)
class ShadowExecution:
    """The run of one Action. `recorded` is None when the record has no run of it to compare with."""

    action: int
    recorded: Journal | None
    journal: Journal


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """The result of a shadow run.

    Attributes:
        record: the leg that it ran on, secrets in their places.
        actions: that ran.
        outcome: what came out; applied to nothing.
        unanswered: what the record does not know, in the order in which it was asked.
        executions: in the order in which they ran.
    """

    record: FlowRecord
    actions: tuple[Action, ...]
    outcome: FlowOutcome
    unanswered: tuple[Unanswered, ...]
    executions: tuple[ShadowExecution, ...]


def run_on(
    record: FlowRecord,
    actions: Sequence[Action],
    programs: ProgramCache | None = None,
    *,
    secrets: Secrets | None = None,
) -> ShadowRun:
    """Run `actions` on the recorded leg, in the places of those that ran then.

    Args:
        actions: in the places of those of the record, and further ones after them, with the values of their
            secrets. `recorded_actions` gives those of the record, and `replaced` puts another one in the
            place of one of them.
        secrets: gives the secrets of the Actions that ran then, for a record that does not hold them; by
            default those of the Action in the same place.

    Raises:
        InputError: `invalid_record`, or `different_flow` when there are fewer Actions.
    """
    if len(actions) < len(record.actions):
        raise InputError(
            "different_flow",
            f"the record is of a flow of {len(record.actions)} Actions; {len(actions)} were given",
        )
    trigger = trigger_of(record)
    record = _revealed(record, actions, secrets)
    world = _World(record)
    outcome = run_recorded(
        record, trigger, actions, programs, clock=world.read_clock, make_port=world.make_port
    )
    return ShadowRun(
        record=record,
        actions=tuple(actions),
        outcome=outcome,
        unanswered=world.unanswered(),
        executions=world.executions(),
    )


def recorded_actions(record: FlowRecord, secrets: Secrets | None = None) -> tuple[Action, ...]:
    """The Actions that ran then. Placeholders stand for secrets that nobody gives.

    Raises:
        InputError: `wrong_secret`, `invalid_record`.
    """
    given = secrets_of(record, secrets, without_secrets=True)
    return tuple(pinned.action(values) for pinned, values in zip(record.actions, given.values, strict=True))


def replaced(actions: Sequence[Action], name: str | None, candidate: Action) -> tuple[Action, ...]:
    """`actions` with `candidate` in the place of the one called `name`; what a binding says of that place
    (its fail policy, limits and hosts) stays.

    Args:
        name: None for the only Action of a flow.

    Raises:
        InputError: `no_such_action`.
    """
    if name is None and len(actions) == 1:
        name = actions[0].name
    if name not in [action.name for action in actions]:
        names = ", ".join(repr(action.name) for action in actions)
        asked = f"there is no Action {name!r} in the record" if name is not None else "say which Action it is"
        raise InputError("no_such_action", f"{asked}; the flow has {names}", next_step="Name one of them.")
    return tuple(in_place(action, candidate) if action.name == name else action for action in actions)


def in_place(old: Action, candidate: Action) -> Action:
    """`candidate` in the place of `old`: what the binding says stays."""
    return replace(
        old,
        source=candidate.source,
        secrets=candidate.secrets,
        module_secrets=candidate.module_secrets,
        configuration=candidate.configuration or old.configuration,
        allow=candidate.allow if candidate.allow is not None else old.allow,
    )


def _revealed(record: FlowRecord, actions: Sequence[Action], secrets: Secrets | None) -> FlowRecord:
    """The record with the values of secrets, as far as they are given."""
    if record.secrets is not None or not any(pinned.wanted for pinned in record.actions):
        return record
    values = (
        [action.every_secret for action in actions]
        if secrets is None
        else [flattened(secrets(pinned)) for pinned in record.actions]
    )
    return with_secrets(record, values)


@dataclass(frozen=True, slots=True)
class _Recorded:
    journal: Journal
    clock: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    action: int
    recorded: Journal | None
    port: ShadowPort
    answers: RecordedAnswers


@dataclass(slots=True)
class _World:
    """Gives each execution the world that the same execution of the same Action met."""

    record: FlowRecord
    _waiting: dict[int, deque[_Recorded]] = field(init=False)
    _began: float = field(init=False)
    _runs: list[_Run] = field(default_factory=list)
    _readings: deque[float] = field(default_factory=deque)
    _last: float = 0.0

    def __post_init__(self) -> None:
        self._waiting = {}
        for execution in self.record.executions:
            recorded = _Recorded(journal_of(execution), execution.clock)
            self._waiting.setdefault(execution.action, deque()).append(recorded)
        self._began = self._last = _began(list(chain.from_iterable(self._waiting.values())))

    def make_port(self, index: int, api: ApiHost, limits: Limits) -> ExecutionPort:
        """A `PortFactory`."""
        waiting = self._waiting.get(index)
        recorded = waiting.popleft() if waiting else None
        journal = recorded.journal if recorded is not None else Journal()
        self._readings = deque(recorded.clock if recorded is not None else ())
        answers = RecordedAnswers(api, journal)
        try:
            port = ShadowPort(journal, answers, limits, wall_ms=int(self._began * 1000))
        except JournalError as error:
            raise invalid_record(str(error)) from None
        self._runs.append(_Run(index, recorded.journal if recorded is not None else None, port, answers))
        return port

    def read_clock(self) -> float:
        """The sessions' clock as it was read at the time; it stands where more is read than before."""
        if self._readings:
            self._last = self._readings.popleft()
        return self._last

    def executions(self) -> tuple[ShadowExecution, ...]:
        return tuple(ShadowExecution(run.action, run.recorded, run.port.journal) for run in self._runs)

    def unanswered(self) -> tuple[Unanswered, ...]:
        found: list[Unanswered] = []
        for run in self._runs:
            found += [Unanswered(run.action, str(item), item.commands) for item in run.port.unanswered]
            found += [Unanswered(run.action, str(item), item.commands) for item in run.answers.unknown]
        return tuple(sorted(found, key=lambda item: (item.action, item.commands)))


def _began(recorded: Sequence[_Recorded]) -> float:
    """Epoch seconds at the start of the leg, as near as the record tells; now, when it says nothing."""
    readings = [time for item in recorded for time in item.clock]
    walls = (
        entry.result["ms"] / 1000
        for item in recorded
        for entry in item.journal.entries
        if entry.operation == "wall"
    )
    return min(chain(readings, walls), default=time.time())
