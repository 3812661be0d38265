"""What each policy test needs: the problem a source is refused for, or what it prints."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Program, Request, Source
from sandbox.egress.none import NoEgress
from sandbox.execution import execute
from sandbox.port.live import LivePort
from sandbox.python.engine import PythonEngine
from tests.sandbox.ports import FakeApi

LIMITS = Limits(wall_ms=60_000)
HANDLER = "\ndef on_execute_post_login(event, api):\n    pass\n"


@dataclass(frozen=True)
class Policy:
    """The compiler of the Python sandbox, asked one source at a time."""

    engine: PythonEngine

    def build(self, source: str) -> Program:
        return self.engine.build(Source(Language.PYTHON, "rule.py", textwrap.dedent(source)), LIMITS)

    def failure(self, source: str) -> Failure:
        """Why `source` is refused."""
        try:
            self.build(source)
        except BuildError as error:
            return error.failure
        raise AssertionError("the source was accepted")

    def refused(self, source: str) -> tuple[int, int | None, str]:
        """Line, column and message of what the policy refuses."""
        failure = self.failure(source)
        assert failure.code is FailureCode.POLICY, failure
        assert failure.place is not None
        return failure.place.line, failure.place.column, failure.message

    def prints(self, source: str) -> list[str]:
        """Build and run `source` as the top level of an Action; what it prints."""
        program = self.build(textwrap.dedent(source) + HANDLER)
        port = LivePort(FakeApi(), NoEgress(), LIMITS)
        result = execute(self.engine, program, Request("onExecutePostLogin", "{}", "{}"), LIMITS, port)
        assert result.failure is None, result.failure
        return [line.text for line in result.logs]
