"""Runs Actions through the sandbox's public entry, with an api that records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import sandbox
from sandbox import ExecutionResult, Language, Limits, Program, Request, Source
from sandbox.core.failure import Failure
from sandbox.egress.model import Egress
from sandbox.egress.none import NoEgress
from sandbox.port.live import Clock, LivePort
from tests.sandbox.ports import FakeApi

SURFACE: dict[str, Any] = {
    "access": {"deny": ["api", ["reason"]]},
    "idToken": {"setCustomClaim": ["api", ["name", "value"]]},
    "user": {"setUserMetadata": ["void", ["name", "value"]], "deep": {"er": ["value", ["x"]]}},
    "cache": {"get": ["value", ["key"]]},
    "roles": {"list": ["promise", [], ["take"]]},
}
HANDLER = "onExecutePostLogin"


@dataclass
class Ran:
    """One execution: its result and the api that answered."""

    result: ExecutionResult
    api: FakeApi

    @property
    def failure(self) -> Failure:
        assert self.result.failure is not None, "the Action was expected to fail"
        return self.result.failure

    @property
    def log(self) -> list[str]:
        return [line.text for line in self.result.logs]

    @property
    def commands(self) -> list[tuple[str, list[Any]]]:
        return [(command.path, command.arguments) for command in self.result.commands]


Run = Callable[..., Ran]
Evaluate = Callable[..., Any]


def compiled(text: str, filename: str = "action.js", limits: Limits | None = None) -> Program:
    return sandbox.build(Source(Language.JAVASCRIPT, filename, text), limits or Limits())


@pytest.fixture(scope="session")
def run() -> Run:
    """`run(text, event=…)` executes an Action."""

    def run_action(
        text: str,
        event: Any = None,
        *,
        api: FakeApi | None = None,
        limits: Limits | None = None,
        egress: Egress | None = None,
        clock: Clock | None = None,
        handler: str = HANDLER,
        surface: dict[str, Any] | None = None,
        filename: str = "action.js",
    ) -> Ran:
        limits = limits or Limits(wall_ms=60_000)  # no test is about it, and machines are busy
        api = api or FakeApi()
        program = compiled(text, filename, limits)
        request = Request(handler, json.dumps({} if event is None else event), json.dumps(surface or SURFACE))
        port = LivePort(api, egress or NoEgress(), limits, clock=clock or Clock())
        return Ran(sandbox.run(program, request, limits, port), api)

    return run_action


@pytest.fixture(scope="session")
def succeed(run: Run) -> Run:
    """Like `run`, for Actions that must complete."""

    def run_well(text: str, event: Any = None, **options: Any) -> Ran:
        ran = run(text, event, **options)
        assert ran.result.failure is None, ran.result.failure
        return ran

    return run_well


@pytest.fixture(scope="session")
def evaluate(succeed: Run) -> Evaluate:
    """The value of an expression (after `before`), as JSON would carry it."""

    def value_of(expression: str, before: str = "", **options: Any) -> Any:
        text = (
            f"exports.{HANDLER} = async (event, api) => {{ {before}\n"
            f"const value = await ({expression});\n"
            "api.user.deep.er(value === undefined ? '(undefined)' : value); };"
        )
        ran = succeed(text, **options)
        return ran.api.calls[-1][1][0]

    return value_of
