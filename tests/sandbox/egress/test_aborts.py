"""A request that the Action gives up is cancelled at once: nobody waits for it, and its place is free."""

from __future__ import annotations

import json
import textwrap

import pytest

import sandbox
from sandbox import ExecutionResult, Language, Limits, Request, Source
from sandbox.egress import EgressPolicy, HttpEgress
from sandbox.port.live import LivePort
from tests.sandbox.egress.aborted import JAVASCRIPT, PYTHON, hanging, javascript_body, python_body
from tests.sandbox.ports import FakeApi

LIMITS = Limits(wall_ms=8_000)
"""Less than the time after which a request is given up by the host itself."""


def run(source: Source) -> ExecutionResult:
    port = LivePort(FakeApi(), HttpEgress(EgressPolicy(allow_private=True)), LIMITS)
    request = Request("onExecutePostLogin", "{}", json.dumps({}))
    return sandbox.run(sandbox.build(source, LIMITS), request, LIMITS, port)


def left_behind(result: ExecutionResult) -> set[int]:
    """Handles that were neither answered nor cancelled."""
    handles = set()
    for entry in result.journal.entries:
        if entry.operation == "start":
            handles.add(entry.result["handle"])
        elif entry.operation == "cancel":
            handles.discard(entry.arguments["handle"])
        elif entry.operation == "wait" and entry.result["answer"]:
            handles.discard(json.loads(entry.result["answer"])["id"])
    return handles


@pytest.mark.parametrize("name", JAVASCRIPT)
def test_javascript(name: str) -> None:
    with hanging() as peer:
        body = javascript_body(JAVASCRIPT[name], peer)
        text = f"exports.onExecutePostLogin = async () => {{ {body} }};"
        result = run(Source(Language.JAVASCRIPT, "action.js", text))
        assert result.failure is None, result.failure
        assert [line.text for line in result.logs] == ["at once"]
        assert left_behind(result) == set()


@pytest.mark.parametrize("name", PYTHON)
def test_python(name: str) -> None:
    with hanging() as peer:
        body = textwrap.indent(python_body(PYTHON[name], peer), "    ")
        text = f"async def on_execute_post_login(event, api):\n{body}\n"
        result = run(Source(Language.PYTHON, "action.py", text))
        assert result.failure is None, result.failure
        assert [line.text for line in result.logs] == ["at once"]
        assert left_behind(result) == set()
