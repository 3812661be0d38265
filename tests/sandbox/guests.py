"""Stand-ins for guests: functions that make host calls, run through `execute` like any engine's program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.core.caps import Limits
from sandbox.core.failure import Failure
from sandbox.core.program import Language, Program, Request, Source
from sandbox.engine import EngineIdentity, EngineReport
from sandbox.execution import execute
from sandbox.port.interface import ExecutionPort, HostPort
from sandbox.result import ExecutionResult

Guest = Callable[[HostPort], Failure | None]


class GuestEngine:
    """Runs a Python function as if it were a sandboxed program."""

    language = Language.JAVASCRIPT

    def __init__(self, guest: Guest) -> None:
        self._guest = guest

    @property
    def identity(self) -> EngineIdentity:
        raise NotImplementedError("no record is made of it")

    def build(self, source: Source, limits: Limits, *, load: bool = False) -> Program:
        return Program(source, b"", "")

    def exports(
        self, program: Program, limits: Limits, port: HostPort, wanted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        return ()

    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        return EngineReport(self._guest(port), 123)


def run(
    guest: Guest, port: ExecutionPort, *, event: str = "{}", limits: Limits | None = None
) -> ExecutionResult:
    """One execution of `guest` over `port`, which must not have begun."""
    program = Program(Source(Language.JAVASCRIPT, "action.js", ""), b"", "")
    request = Request("onExecutePostLogin", event, "{}")
    return execute(GuestEngine(guest), program, request, limits or Limits(), port)
