"""The one immutable record of an execution that every renderer shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.core.caps import Limits
from sandbox.core.failure import Failure
from sandbox.core.program import Language, Program, Request, Source
from sandbox.port.interface import Command, HostPort, LogLine
from sandbox.port.journal import Journal


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an execution used.

    Attributes:
        wall_ms: from instantiation to the end.
        cpu_ms: CPU time of the calling thread.
        peak_memory_bytes: linear memory of the instance at its end (it never shrinks).
        host_calls: by kind, e.g. `{"api": 2, "fetch": 1}`.
    """

    wall_ms: float
    cpu_ms: float
    peak_memory_bytes: int
    host_calls: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How one execution ended. `failure` is None when the handler completed."""

    failure: Failure | None
    commands: tuple[Command, ...]
    logs: tuple[LogLine, ...]
    logs_cut_bytes: int
    statistics: Statistics
    journal: Journal

    @property
    def ok(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What an engine says of one run; the port knows the rest."""

    failure: Failure | None
    peak_memory_bytes: int


class Engine(Protocol):
    """A language's sandbox. One per process and language; safe to call from several threads."""

    @property
    def language(self) -> Language: ...

    def build(self, source: Source, limits: Limits, *, load: bool = False) -> Program:
        """Compile and check; with `load`, packages are loaded once as well.

        Raises:
            BuildError: syntax, policy, timeout, memory, stack, output, internal.
        """
        ...

    def exports(
        self, program: Program, limits: Limits, port: HostPort, wanted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Names of the functions that the top level exports, found by running it; `wanted` are asked for by
        themselves as well. Raises `BuildError` when the top level fails."""
        ...

    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        """Run the handler in a fresh instance. Never raises for anything that a guest does."""
        ...
