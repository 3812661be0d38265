"""`--log`: expressions are printed where lines are passed, and the replay stays the same."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import Action, InputError, Runner
from runner.replay.logpoints import python_source
from runner.replay.logpoints.taps import LogPoint, Taps, parse_logpoint
from runner.replay.record import FlowRecord, Recorder
from runner.replay.recorded import Recorded
from runner.replay.whole import WholeReplay, replay_all
from sandbox.core.program import Language, Source
from sandbox.egress import StubEgress, parse_stubs
from sandbox.javascript.building.statements import Point, place_calls

JAVASCRIPT = """\
"use strict";
const names = []
function add(name)
{
  names.push(name)
  return names.length
}
exports.onExecutePostLogin = async (event, api) => {
  for (const role of ["a", "b"])
    add(role)
  if (event.user.email) add(event.user.email); else
    add("nobody")
  const text = `
    ${names}`
  switch (names.length) {
    case 3:
      console.log(text, Date.now(), Math.random());
  }
  const answer = await fetch("https://api.example/x");
  // a comment
  api.idToken.setCustomClaim("n", (await answer.json()).n)
  null.fails
};
"""
PYTHON = '''\
"""What it does."""
from __future__ import annotations
import random, time

names = []

def add(name):
    """Adds."""
    names.append(name)
    return len(names)

async def on_execute_post_login(event, api):
    for role in "a", "b":
        add(role)
    if event.user.email:
        é = "é"; add(event.user.email)
    elif role:
        pass
    print(names, time.time(), random.random())
    answer = await fetch("https://api.example/x")
    api.id_token.set_custom_claim("n", answer.json()["n"])
    with_ = é + None
'''


def record_of(runner: Runner, event: dict[str, Any], filename: str, text: str) -> FlowRecord:
    language = Language.PYTHON if filename.endswith(".py") else Language.JAVASCRIPT
    stubs = parse_stubs([{"url": "https://api.example/x", "answer": {"json": {"n": 7}}}])
    recorder = Recorder()
    action = Action("it", Source(language, filename, text), secrets={"KEY": "a-secret-value"})
    runner = replace(runner, egress=StubEgress(stubs), observer=recorder)
    return recorder.record(runner.run("post-login", event, [action]))


@pytest.fixture(scope="module", params=["it.js", "it.py"])
def record(request: pytest.FixtureRequest) -> FlowRecord:
    from runner.flow.programs import ProgramCache
    from triggers import get_trigger

    text = JAVASCRIPT if request.param == "it.js" else PYTHON
    event = get_trigger("post-login").example_event
    return record_of(Runner(programs=ProgramCache()), event, request.param, text)


def tapped(record: FlowRecord, *points: LogPoint, watched: bool = False) -> tuple[WholeReplay, Taps]:
    taps = Taps(points, watched=watched)
    values = {"KEY": "a-secret-value"}
    return replay_all(Recorded("it", (record,)), lambda _: values, taps=taps), taps


def file_of(record: FlowRecord) -> str:
    return record.actions[0].source.filename


def test_values_are_told_each_time_and_nothing_else_changes(record: FlowRecord) -> None:
    file = file_of(record)
    loop, inside = (10, 5) if file == "it.js" else (14, 9)
    result, taps = tapped(record, LogPoint(file, loop, "role"), LogPoint(file, inside, "names"))
    assert record.outcome["failure"] is not None
    assert result.same, result.first()
    values = [item.text.replace("'", "").replace(" ", "") for item in taps.logged]
    assert values[:4] == ["a", "[]", "b", "[a]"]
    assert values[4] == "[a,b]"
    assert not any(item.failed for item in taps.logged)


def test_every_line_can_be_logged_at_once(record: FlowRecord) -> None:
    file = file_of(record)
    lines = range(1, record.actions[0].source.text.count("\n") + 1)
    possible = [line for line in lines if _is_possible(record, line)]
    result, taps = tapped(record, *(LogPoint(file, line, "[1, 'x']") for line in possible), watched=True)
    assert result.same, result.first()
    assert len({item.point.line for item in taps.logged}) > 8
    assert {item.text for item in taps.logged} <= {"[ 1, 'x' ]", "[1, 'x']"}
    assert any(place.endswith(f"{file}:{possible[-2]}") for place in result.legs[0].places[0].values())


def _is_possible(record: FlowRecord, line: int) -> bool:
    try:
        Taps((LogPoint(file_of(record), line, "1"),)).prepare([record.actions[0].source])
    except InputError:
        return False
    return True


@pytest.mark.parametrize(
    ("javascript", "python"),
    [
        ("Date.now()", "time.time()"),
        ("Math.random()", "random.random()"),
        ("crypto.randomUUID()", "[random.random() for _ in range(9)]"),
        ("api.access.deny('x')", "api.access.deny('x')"),
        ("api.cache.get('x')", "api.cache.get('x')"),
        ("fetch('https://other.example/')", "fetch('https://other.example/')"),
        ("console.log('x')", "print('x')"),
        ("(() => { throw new Error('x') })()", "1 / 0"),
        ("nothing.at.all", "nothing.at.all"),
        ("event.secrets.KEY", "event.secrets.KEY"),
    ],
)
def test_no_expression_disturbs_the_replay(record: FlowRecord, javascript: str, python: str) -> None:
    file = file_of(record)
    line, expression = (21, javascript) if file == "it.js" else (21, python)
    result, taps = tapped(record, LogPoint(file, line, expression))
    assert result.same, result.first()
    (told,) = taps.logged
    assert told.text
    assert (
        told.failed
        == any(word in expression for word in ("throw", "nothing", "deny", "cache", "1 / 0", "fetch"))
        or "fetch" in expression
    )


@pytest.mark.parametrize(
    ("line", "expression", "match"),
    [
        (20, "1", "no statement begins on line"),
        (999, "1", "no statement begins on line"),
        (21, "x = 1", r"--log 'it\.\w+:21 x = 1'"),
        (21, "await f()", "would change something or wait"),
        (21, "1; 2", r"--log 'it\.\w+:21 1; 2'"),
        (21, "(", r"--log"),
        (21, "1) || (2", r"--log"),
    ],
)
def test_what_cannot_be_logged_is_refused(record: FlowRecord, line: int, expression: str, match: str) -> None:
    if file_of(record) == "it.py" and line == 20:
        line = 17 - 6  # the empty line before the handler
    with pytest.raises(InputError, match=match) as caught:
        tapped(record, LogPoint(file_of(record), line, expression))
    assert caught.value.code == "invalid_option"
    with pytest.raises(InputError, match="no Action of the record is in a file of that name"):
        tapped(record, LogPoint("other.js", line, "1"))


def test_log_points_are_read_as_people_write_them() -> None:
    assert parse_logpoint("a b.js:12  event.user ") == LogPoint("a b.js", 12, "event.user")
    for text in ("", "a.js", "a.js:1", "a.js:0 x", "a.js:x y", ":1 x"):
        with pytest.raises(InputError, match="FILE:LINE EXPRESSION"):
            parse_logpoint(text)


@given(st.text(max_size=40))
def test_whatever_is_asked_for_is_answered_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        point = parse_logpoint(f"it.py:9 {text}")
        Taps((point,)).prepare([Source(Language.PYTHON, "it.py", PYTHON)])


def test_no_token_moves() -> None:
    placed = place_calls(JAVASCRIPT, [], "function tap() {}", "tap(LINE)")
    assert placed.lines == (2, 3, 5, 6, 8, 9, 10, 11, 12, 13, 15, 17, 19, 21, 22)
    for before, after in zip(JAVASCRIPT.split("\n"), placed.text.split("\n"), strict=False):
        assert after.startswith(before.rstrip("\n")[:1])
    assert place_calls("f()", [Point(1, "1", "tap()")], "").text == ";tap();f()\n"
    made = python_source.place_calls(PYTHON, [], "tap", "tap = print", "LINE")
    assert made.lines == (9, 10, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
    assert made.text.count("\n") == PYTHON.count("\n") + 1
