"""Programs copied into instances: no execution can tell whether it was loaded or copied."""

from __future__ import annotations

import json

import pytest

import sandbox
from sandbox import Language, Limits, Request, open_engine
from sandbox.core.failure import FailureCode
from sandbox.egress.none import NoEgress
from sandbox.javascript import checkpoints
from sandbox.javascript.checkpoints import Checkpoints
from sandbox.javascript.engine import JavaScriptEngine
from sandbox.port.live import LivePort
from tests.sandbox.javascript.conftest import HANDLER, SURFACE, compiled
from tests.sandbox.ports import FakeApi

STATEFUL = """
let loads = 0; loads += 1;
const random = Math.random();
exports.onExecutePostLogin = async (event, api) => {
  globalThis.runs = (globalThis.runs ?? 0) + 1;
  Object.prototype.dirt = 1; Array.prototype.push = null; delete globalThis.fetch;
  await null;
  api.access.deny(`${event.n} ${loads} ${globalThis.runs}`);
  api.idToken.setCustomClaim('keys', Object.keys(api.user).concat(typeof api.noop, __filename));
  console.log(random, Math.random());
};"""


@pytest.fixture
def engine() -> JavaScriptEngine:
    engine = open_engine(Language.JAVASCRIPT)
    assert isinstance(engine, JavaScriptEngine)
    return engine


def test_executions_after_the_first_do_the_same_and_draw_anew() -> None:
    program = compiled(STATEFUL, "state ful.js")
    logs = set()
    for n in range(5):
        port = LivePort(FakeApi(), NoEgress(), Limits())
        request = Request(HANDLER, json.dumps({"n": n}), json.dumps(SURFACE))
        result = sandbox.run(program, request, Limits(), port)
        assert result.failure is None
        assert [command.arguments for command in result.commands] == [
            [f"{n} 1 1"],
            ["keys", ["setUserMetadata", "deep", "undefined", "/state ful.js"]],
        ]
        logs.add(result.logs[0].text)
    assert len({number for line in logs for number in line.split()}) == 10


def test_one_program_with_two_surfaces(engine: JavaScriptEngine) -> None:
    program = compiled(f"exports.{HANDLER} = (event, api) => console.log(Object.keys(api).join())")
    for _ in range(3):
        for surface in ({"a": {"b": ["api", []]}}, {"c": ["void", []], "d": {}}):
            port = LivePort(FakeApi(), NoEgress(), Limits())
            result = sandbox.run(program, Request(HANDLER, "{}", json.dumps(surface)), Limits(), port)
            assert result.logs[0].text == ",".join(surface)


def test_pages_are_taken_at_the_second_time_and_are_always_the_same(engine: JavaScriptEngine) -> None:
    program = compiled(STATEFUL)
    surface = json.dumps(SURFACE)
    taken = []
    for _ in range(2):
        known = Checkpoints(engine.image)
        assert known.prepare(program, surface).pages is None
        taken.append(known.prepare(program, surface).pages)
        assert known.prepare(program, surface).pages is taken[-1]
    assert taken[0]
    assert taken[0] == taken[1]


def test_few_programs_are_kept(engine: JavaScriptEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_KEPT", 2)
    known = Checkpoints(engine.image)
    programs = [compiled(f"exports.x = {n}") for n in range(3)]
    for program in programs:
        known.prepare(program, None)
    assert known.prepare(programs[2], None).pages is not None
    assert known.prepare(programs[0], None).pages is None


@pytest.mark.parametrize(("spare", "kept"), [(0, 2), (-1, 1)])
def test_kept_programs_have_a_cap_in_bytes(engine: JavaScriptEngine, spare: int, kept: int) -> None:
    programs = [compiled(f"exports.x = {n}") for n in range(2)]
    sizes = []
    for program in programs:
        known = Checkpoints(engine.image)
        known.prepare(program, None)
        sizes.append(known.prepare(program, None).size)
    known = Checkpoints(engine.image, sum(sizes) + spare)
    known.largest_share = 1
    for program in programs:
        known.prepare(program, None)
        assert known.prepare(program, None).pages is not None
    assert known.kept_bytes == sum(sizes[2 - kept :])


@pytest.mark.parametrize(("spare", "is_kept"), [(0, True), (-1, False)])
def test_a_program_that_changes_much_is_loaded_each_time(
    engine: JavaScriptEngine, spare: int, is_kept: bool
) -> None:
    program = compiled("exports.x = 1")
    known = Checkpoints(engine.image)
    known.prepare(program, None)
    size = known.prepare(program, None).size
    known = Checkpoints(engine.image, 8 * (size + spare))
    known.prepare(program, None)
    assert (known.prepare(program, None).pages is not None) is is_kept


def test_failures_are_the_same_every_time() -> None:
    program = compiled(f"exports.{HANDLER} = (event) => {{\n  event.a.b.c;\n}};")
    for _ in range(3):
        port = LivePort(FakeApi(), NoEgress(), Limits())
        result = sandbox.run(program, Request(HANDLER, "{}", "{}"), Limits(), port)
        assert result.failure is not None
        assert result.failure.code is FailureCode.THROW
        assert result.failure.place is not None
        assert result.failure.place.line == 2
