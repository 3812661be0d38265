"""Runs Python Actions for tests: builds a source, gives it an event, an api and stubbed requests."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from typing import Any

from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, Failure
from sandbox.core.program import Language, Program, Request, Source
from sandbox.egress.model import Egress
from sandbox.egress.none import NoEgress
from sandbox.execution import execute
from sandbox.port.live import LivePort
from sandbox.python.engine import PythonEngine
from sandbox.result import ExecutionResult
from tests.sandbox.ports import FakeApi

SURFACE: dict[str, Any] = {
    "access": {"deny": ["api", ["reason"]]},
    "spoken": {
        "deny": ["void", ["code", "reason"], None, ["reason"]],
        "revoke": ["void", ["reason"], ["keep"], ["reason"]],
        "refuse": ["void", [], ["reason", "other"], ["reason"]],
    },
    "idToken": {"setCustomClaim": ["api", ["name", "value"]]},
    "user": {"setAppMetadata": ["void", ["name", "value"]]},
    "multifactor": {"enable": ["api", ["provider"], ["allowRememberBrowser", "providerOptions"]]},
    "cache": {"get": ["value", ["key"]], "set": ["value", ["key", "value"], ["ttl", "expiresAt"]]},
    "roles": {"getUserEffectiveRoles": ["promise", [], ["take", "from"]]},
}
HEAD = "async def on_execute_post_login(event, api):\n"


@dataclass
class Runner:
    """Builds and runs Actions on one engine."""

    engine: PythonEngine
    limits: Limits = field(default_factory=lambda: Limits(wall_ms=60_000))

    def build(self, text: str, limits: Limits | None = None) -> Program:
        return self.engine.build(Source(Language.PYTHON, "rule.py", text), limits or self.limits)

    def refusal(self, text: str) -> Failure:
        """The failure that building `text` must end with."""
        try:
            self.build(text)
        except BuildError as error:
            return error.failure
        raise AssertionError("the source was accepted")

    def run(
        self,
        text: str,
        event: dict[str, Any] | None = None,
        *,
        api: FakeApi | None = None,
        egress: Egress | None = None,
        limits: Limits | None = None,
        handler: str = "onExecutePostLogin",
    ) -> ExecutionResult:
        return self.start(self.build(text), event, limits, api=api, egress=egress, handler=handler)

    def start(
        self,
        program: Program,
        event: dict[str, Any] | None = None,
        limits: Limits | None = None,
        *,
        api: FakeApi | None = None,
        egress: Egress | None = None,
        handler: str = "onExecutePostLogin",
    ) -> ExecutionResult:
        """Run a built program."""
        limits = limits or self.limits
        port = LivePort(api or FakeApi(), egress or NoEgress(), limits)
        request = Request(handler, json.dumps(event or {}), json.dumps(SURFACE))
        return execute(self.engine, program, request, limits, port)

    def body(self, lines: str, event: dict[str, Any] | None = None, **options: Any) -> ExecutionResult:
        """Run `lines` as the body of an async handler."""
        return self.run(HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), "    "), event, **options)

    def printed(self, lines: str, event: dict[str, Any] | None = None, **options: Any) -> list[str]:
        """What `lines` print as a handler's body; the run must succeed."""
        result = self.body(lines, event, **options)
        assert result.failure is None, result.failure
        return [line.text for line in result.logs]

    def failure(self, lines: str, event: dict[str, Any] | None = None, **options: Any) -> Failure:
        """What `lines` fail with as a handler's body."""
        result = self.body(lines, event, **options)
        assert result.failure is not None
        assert result.commands == ()
        return result.failure
