"""The one immutable record of an execution that every renderer shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.core.failure import Failure
from sandbox.port.interface import Command, LogLine
from sandbox.port.journal import Journal


@dataclass(frozen=True, slots=True)
class Statistics:
    """Resources that an execution used.

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
    """The result of one execution. `failure` is None when the handler completed."""

    failure: Failure | None
    commands: tuple[Command, ...]
    logs: tuple[LogLine, ...]
    logs_cut_bytes: int
    statistics: Statistics
    journal: Journal

    @property
    def ok(self) -> bool:
        return self.failure is None
