"""Trace of a leg at its edges, for those who watch: recorders, test cases, execution logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runner.flow.execution import PortFactory
from runner.flow.leg import Leg, LegEnd
from sandbox.core.caps import Limits
from sandbox.port.interface import ApiHost, ExecutionPort
from sandbox.port.journal import Journal


@dataclass(frozen=True, slots=True)
class ExecutionTrace:
    """One execution.

    Attributes:
        action: index of the Action; the same index twice means its last good version ran as well.
        limits: that it ran under.
        journal: all its host calls.
        clock: what the api's own clock read during it, in epoch seconds.
    """

    action: int
    limits: Limits
    journal: Journal
    clock: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LegTrace:
    """One leg with everything that went in and all that happened. `number`: from 1; `flushed`: see
    `SuspendedFlow`."""

    tenant: str
    execution_id: str
    number: int
    flushed: int
    leg: Leg
    end: LegEnd
    executions: tuple[ExecutionTrace, ...]


Observer = Callable[[LegTrace], None]


@dataclass(slots=True)
class Tracer:
    """Stands between a leg and its ports and clock, and remembers. For one leg."""

    port: PortFactory
    clock: Callable[[], float]
    _seen: list[tuple[int, Limits, ExecutionPort, list[float]]] = field(default_factory=list)

    def make_port(self, index: int, api: ApiHost, limits: Limits) -> ExecutionPort:
        """A `PortFactory`."""
        port = self.port(index, api, limits)
        self._seen.append((index, limits, port, []))
        return port

    def read_clock(self) -> float:
        """The clock of the sessions."""
        now = self.clock()
        if self._seen:
            self._seen[-1][3].append(now)
        return now

    def executions(self) -> tuple[ExecutionTrace, ...]:
        """The executions so far."""
        return tuple(
            ExecutionTrace(index, limits, port.journal, tuple(readings))
            for index, limits, port, readings in self._seen
        )
