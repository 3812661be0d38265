"""Every event model: what it accepts comes out as it went in, anything else is a typed error."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import examples
from tests.strategies import events, json_values, wild_values
from tests.triggers.events.checking import check_event
from triggers import EventError, known_triggers
from triggers.events import event_model, example_event
from triggers.events.model.introspection import properties, walk

TRIGGERS = sorted(trigger.id for trigger in known_triggers())
GENTLE = examples(25)


def dumped(trigger_id: str, event: object) -> object:
    model = event_model(trigger_id).model_validate(event)
    return model.model_dump(exclude_unset=True, by_alias=True)


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_example_events_are_valid_and_survive_the_model_unchanged(trigger_id):
    event = example_event(trigger_id)
    assert check_event(trigger_id, event) is event
    assert json.dumps(dumped(trigger_id, event), sort_keys=True) == json.dumps(event, sort_keys=True)


def test_example_events_are_copies():
    example_event("post-login")["user"]["email"] = "someone@else.example"
    assert example_event("post-login")["user"]["email"] == "maya.okafor@harbor.example"


def merged(base: dict, more: dict) -> dict:
    both = dict(base)
    for name, value in more.items():
        both[name] = merged(both[name], value) if isinstance(both.get(name), dict) else value
    return both


def test_an_event_with_every_declared_property_at_once():
    """No real login has them all."""
    rest = json.loads(Path(__file__).with_name("post-login.complete.json").read_text("utf-8"))
    event = merged(example_event("post-login"), rest)
    check_event("post-login", event)
    declared = [path for path, _ in walk(event_model("post-login"))]
    assert [path for path in declared if not holds(event, path.split("."))] == []


def holds(value, steps) -> bool:
    if not steps:
        return True
    name, *rest = steps
    if name == "*":
        return any(holds(inner, rest) for inner in value.values())
    if name.removesuffix("[]") not in value:
        return False
    inner = value[name.removesuffix("[]")]
    return any(holds(item, rest) for item in inner) if name.endswith("[]") else holds(inner, rest)


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_every_property_is_described(trigger_id):
    described = ((path, entry.about) for path, entry in walk(event_model(trigger_id)))
    undescribed = [path for path, about in described if not about.endswith((".", "`"))]
    assert undescribed == []


@pytest.mark.parametrize("trigger_id", TRIGGERS)
@GENTLE
@given(data=st.data())
def test_valid_events_pass_and_come_back_as_they_were(trigger_id, data):
    event = data.draw(events(trigger_id))
    before = copy.deepcopy(event)
    assert check_event(trigger_id, event) == before
    assert dumped(trigger_id, event) == before


@pytest.mark.parametrize("trigger_id", TRIGGERS)
@GENTLE
@given(value=json_values | wild_values)
def test_anything_else_ends_in_an_event_error(trigger_id, value):
    with pytest.raises(EventError) as caught:
        check_event(trigger_id, value)
    assert caught.value.problems


@pytest.mark.parametrize("trigger_id", TRIGGERS)
@GENTLE
@given(data=st.data())
def test_any_value_in_any_place_is_accepted_or_ends_in_an_event_error(trigger_id, data):
    event = example_event(trigger_id)
    parent, key = data.draw(st.sampled_from(list(places(event))))
    parent[key] = data.draw(json_values | wild_values)
    before = copy.deepcopy(event)
    try:
        accepted = check_event(trigger_id, event)
    except EventError as error:
        paths = [problem.path for problem in error.problems]
    else:
        paths = []
        assert accepted == before
        assert dumped(trigger_id, event) == before
    assert all(path.startswith("$.") for path in paths)


def places(value):
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(children):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_each_required_property_is_missed_and_each_other_one_is_not(trigger_id):
    for entry in properties(event_model(trigger_id)):
        event = example_event(trigger_id)
        event.pop(entry.name, None)
        if entry.required:
            with pytest.raises(EventError) as caught:
                check_event(trigger_id, event)
            (problem,) = caught.value.problems
            assert (problem.path, problem.found) == (f"$.{entry.name}", "nothing")
            assert problem.expected == entry.shape.words()
        else:
            check_event(trigger_id, event)


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_unknown_properties_pass_untouched_wherever_they_are(trigger_id):
    event = example_event(trigger_id)
    for parent in [event, *[p[k] for p, k in places(event) if isinstance(p[k], dict)]]:
        if parent is not event.get("secrets"):
            parent["x-unknown"] = {"deep": [1, None, {"er": "value"}]}
    assert dumped(trigger_id, event) == event
    check_event(trigger_id, event)
