"""Any text, value and event, through every api member of every trigger, in both languages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.flow.handlers import snake_case
from runner.model.action import Action
from sandbox.core.program import Language, Source
from tests.drawn import examples
from tests.parity.told import Teller, failures
from tests.parity.ways import InProcess, InWorker, RefusedError, Ways
from tests.parity.world import MOMENT, World
from tests.strategies import events, json_values
from tests.triggers.test_hostile import PLAUSIBLE
from triggers import Trigger, all_triggers
from triggers.engine.gates import GATES

TRIGGERS = {trigger.id: trigger for trigger in all_triggers()}
LANGUAGES = tuple(Language)
LONG = 20_000

planes = (
    st.text(st.characters(max_codepoint=0x7F), max_size=20)
    | st.text(st.characters(min_codepoint=0x80, max_codepoint=0xFFFF), max_size=12)
    | st.text(st.characters(min_codepoint=0x10000), max_size=8)
)
"""Lone surrogates are in the second."""
long = st.builds(lambda text, count: text * count, planes.filter(len), st.sampled_from([500, LONG // 20]))
texts = (
    planes
    | long
    | st.sampled_from(["\ud800", "\udfff\ud800", "a\ud83d", "\0", "\u2028", "\ufeff", "ß" * 5000])
)
arguments = st.lists(
    st.sampled_from(PLAUSIBLE)
    | texts
    | json_values
    | st.dictionaries(texts, texts, max_size=2)
    | st.lists(texts, max_size=2),
    max_size=4,
)

JAVASCRIPT = """
const CALLS = JSON.parse(%s);
const show = (value) => value === undefined ? "undefined" : value === TheApi ? "api" : JSON.stringify(value);
let TheApi;
exports.%s = async (event, api) => {
  TheApi = api;
  console.log(JSON.stringify(event));
  for (const [path, given] of CALLS) {
    const names = path.split("."), last = names.pop();
    let at = api;
    for (const name of names) at = at[name];
    try { console.log(path, show(await at[last](...given))); }
    catch (error) { console.log(path, error.name, error.message, error.code); }
  }
};
"""
PYTHON = """
import inspect, json
CALLS = json.loads(%s)

async def %s(event, api):
    members = {%s}
    print(event)
    for path, given in CALLS:
        try:
            value = members[path](*given)
            if inspect.isawaitable(value):
                value = await value
            print(path, "api" if value is api else value)
        except Exception as error:
            print(path, type(error).__name__, error)
"""

Calls = list[tuple[str, list[Any]]]


def quoted(calls: Calls) -> str:
    """JSON text as a literal that both languages read alike: all of it in ASCII."""
    return json.dumps(json.dumps(calls))


def action(trigger: Trigger, language: Language, calls: Calls) -> Action:
    """Makes the calls one after another, and says what came of each."""
    handler = trigger.execute_handler
    if language is Language.JAVASCRIPT:
        return Action("calls", Source(language, "calls.js", JAVASCRIPT % (quoted(calls), handler)))
    members = ", ".join(
        f'"{path}": api.{".".join(map(snake_case, path.split(".")))}'
        for path in dict.fromkeys(path for path, _ in calls)
    )
    return Action(
        "calls", Source(language, "calls.py", PYTHON % (quoted(calls), snake_case(handler), members))
    )


def calls(trigger: Trigger) -> st.SearchStrategy[Calls]:
    paths = st.sampled_from([method.path for method in trigger.surface.methods])
    return st.lists(st.tuples(paths, arguments), min_size=1, max_size=10)


def every_member(trigger: Trigger) -> st.SearchStrategy[Calls]:
    """One call of each, with one list of values for all."""
    paths = [method.path for method in trigger.surface.methods]
    return arguments.map(lambda given: [(path, given) for path in paths])


def sendable(trigger_id: str) -> st.SearchStrategy[Any]:
    """Events without NUL, which bodies of requests may not hold."""
    return events(trigger_id).map(lambda event: json.loads(json.dumps(event).replace("\\u0000", "")))


def told(flow: Any, event: Any, actions: list[Action]) -> Any:
    try:
        return Teller().told(flow.run(event, actions))
    except RefusedError as error:
        return error.code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("trigger_id", TRIGGERS)
@examples(4)
@given(data=st.data())
def test_every_member_answers_alike_in_every_way(
    ways: Ways, trigger_id: str, language: Language, data: st.DataObject
) -> None:
    trigger = TRIGGERS[trigger_id]
    made = [action(trigger, language, data.draw(calls(trigger) | every_member(trigger)))]
    event = data.draw(st.just(trigger.example_event) | sendable(trigger_id))
    found = {}
    for name, flow in ways.each(trigger).items():
        ways.world.now = World()
        found[name] = told(flow, event, made)
    for name, outcome in found.items():
        assert outcome == found["in process"], name


@examples(120)
@given(data=st.data())
def test_nothing_that_is_generated_is_a_fault_of_a_worker(ways: Ways, data: st.DataObject) -> None:
    """Any event and any arguments, with every feature on, in flows of several Actions."""
    trigger = TRIGGERS[data.draw(st.sampled_from(list(TRIGGERS)))]
    settings = replace(ways.settings, features=GATES)
    made = [
        action(trigger, data.draw(st.sampled_from(LANGUAGES)), data.draw(calls(trigger)))
        for _ in range(data.draw(st.integers(1, min(3, trigger.max_actions))))
    ]
    event = data.draw(events(trigger.id))
    ways.world.now = World()
    outcome = told(InWorker(ways, settings, trigger, MOMENT), event, made)
    assert isinstance(outcome, str) or "internal" not in failures(outcome), outcome["failure"]
    ways.world.now = World()
    assert told(InProcess(ways.world, settings, trigger, MOMENT), event, made) == outcome
