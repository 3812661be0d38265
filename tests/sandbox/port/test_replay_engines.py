"""Real programs of both languages replay bit by bit: dates, randomness, requests, timers and api calls."""

from __future__ import annotations

import json

import pytest

import sandbox
from sandbox import Language, Limits, Program, Request, Source
from sandbox.core.failure import FailureCode
from sandbox.egress import StubEgress, parse_stubs
from sandbox.port.journal import Journal
from sandbox.port.live import LivePort
from sandbox.port.replay import ReplayPort
from sandbox.result import ExecutionResult
from tests.sandbox.ports import FakeApi

SURFACE = json.dumps({"access": {"deny": ["api", ["reason"]]}, "cache": {"get": ["value", ["key"]]}})
STUBS = [
    {"url": "https://a.example/slow", "answer": {"json": [1], "delay_ms": 60}},
    {"url": "https://a.example/*", "answer": {"text": "fast"}},
]

JAVASCRIPT = """
exports.onExecutePostLogin = async (event, api) => {
  console.log(new Date().toISOString(), Math.random(), performance.now());
  await new Promise((resolve) => setTimeout(resolve, 500));
  const start = Date.now();
  while (Date.now() < start + 5);
  console.log(api.cache.get('k'), Date.now(), Math.random());
  api.access.deny(`${event.user.name} ${Date.now()}`);
};
"""

PYTHON = """
import asyncio, datetime, random, time, uuid

async def on_execute_post_login(event, api):
    print(datetime.datetime.now(), random.random(), uuid.uuid4(), time.monotonic())
    for answer in await asyncio.gather(*(fetch("https://a.example/" + name) for name in ("slow", "x"))):
        print(answer.status)
    await asyncio.sleep(0.5)
    start = time.time()
    while time.time() < start + 0.005:
        pass
    print(api.cache.get("k"), time.time(), random.random(), hash("x"))
    api.access.deny(f"{event.user.name} {time.time()}")
"""

PROGRAMS = {Language.JAVASCRIPT: JAVASCRIPT, Language.PYTHON: PYTHON}


def built(language: Language, text: str) -> Program:
    return sandbox.build(Source(language, f"action.{language}", text))


def request(name: str = "Ann") -> Request:
    return Request("onExecutePostLogin", json.dumps({"user": {"name": name}}), SURFACE)


def recorded(program: Program) -> ExecutionResult:
    port = LivePort(FakeApi(cache__get={"ok": "v"}), StubEgress(parse_stubs(STUBS)), Limits())
    result = sandbox.run(program, request(), Limits(), port)
    assert result.failure is None
    assert len(result.commands) == 1
    return result


@pytest.mark.parametrize("language", Language)
def test_a_program_replays_to_the_same_result_without_waiting(language: Language) -> None:
    program = built(language, PROGRAMS[language])
    first = recorded(program)
    port = ReplayPort(Journal.from_json(first.journal.to_json()))
    second = sandbox.run(program, request(), Limits(), port)
    assert port.divergence is None
    assert second.failure is None
    assert (second.logs, second.commands, second.journal) == (first.logs, first.commands, first.journal)
    assert second.statistics.host_calls == first.statistics.host_calls
    assert second.statistics.wall_ms < first.statistics.wall_ms - 300


@pytest.mark.parametrize("language", Language)
def test_another_event_diverges_where_it_first_shows(language: Language) -> None:
    program = built(language, PROGRAMS[language])
    first = recorded(program)
    port = ReplayPort(first.journal)
    second = sandbox.run(program, request("Bob"), Limits(), port)
    assert second.failure is not None
    assert second.failure.code is FailureCode.DIVERGENCE
    assert port.divergence is not None
    assert port.divergence.expected.startswith('api.access.deny ["Ann ')
    assert port.divergence.actual.startswith('api.access.deny ["Bob ')
    assert second.commands == ()
