"""The JSON Schemas say what the checks do: event by event, argument by argument."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import examples
from tests.strategies import events, json_values
from tests.triggers.jsonschema_subset import accepts, resolve
from triggers import EventError, all_triggers, get_trigger
from triggers.generate.schema import DIALECT, argument_schema, event_schema, json_schema

TRIGGERS = all_triggers()
NAMES = [trigger.id for trigger in TRIGGERS]
SCHEMAS = {trigger.id: event_schema(trigger) for trigger in TRIGGERS}
GENTLE = examples(15)


def valid(trigger_id, event) -> bool:
    try:
        get_trigger(trigger_id).parse_event(event)
    except EventError:
        return False
    return True


@pytest.mark.parametrize("trigger", TRIGGERS, ids=NAMES)
def test_every_reference_leads_somewhere_and_ids_are_unique(trigger):
    document = json_schema(trigger)
    assert document["$schema"] == DIALECT
    assert document == json.loads(json.dumps(document))
    members = {name: inner for name, inner in document["$defs"].items() if name.startswith("api.")}
    assert members.keys() == {f"api.{method.path}" for method in trigger.surface.methods}
    resources = [document, *members.values()]
    assert len({resource["$id"] for resource in resources}) == len(resources)
    for resource in resources:
        for reference in references(resource):
            assert isinstance(resolve(reference, resource), dict)


def references(schema):
    """Every `$ref` of one schema resource; those with an `$id` inside it are resources of their own."""
    if isinstance(schema, list):
        for item in schema:
            yield from references(item)
    elif isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for value in schema.values():
            if not (isinstance(value, dict) and "$id" in value and "$schema" in value):
                yield from references(value)


@pytest.mark.parametrize("trigger_id", NAMES)
@GENTLE
@given(data=st.data())
def test_valid_events_fit_the_schema(trigger_id, data):
    assert accepts(SCHEMAS[trigger_id], data.draw(events(trigger_id)))


@pytest.mark.parametrize("trigger_id", NAMES)
@GENTLE
@given(data=st.data())
def test_schema_and_check_agree_when_any_part_is_replaced(trigger_id, data):
    event = copy.deepcopy(get_trigger(trigger_id).example_event)
    parent, key = data.draw(st.sampled_from(list(places(event))))
    parent[key] = data.draw(json_values)
    assert accepts(SCHEMAS[trigger_id], event) == valid(trigger_id, event)


@pytest.mark.parametrize("trigger_id", NAMES)
def test_schema_and_check_agree_when_any_part_is_missing(trigger_id):
    for index, _ in enumerate(places(get_trigger(trigger_id).example_event)):
        event = get_trigger(trigger_id).example_event
        parent, key = list(places(event))[index]
        del parent[key]
        assert accepts(SCHEMAS[trigger_id], event) == valid(trigger_id, event)


def places(value):
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@pytest.mark.parametrize("session", [{}, {"id": "s_1"}, {"user_id": "auth0|1"}, None])
def test_an_empty_session_fits(session):
    event = {**get_trigger("post-login").example_event, "session": session}
    assert (
        accepts(SCHEMAS["post-login"], event)
        == valid("post-login", event)
        == (session != {"user_id": "auth0|1"})
    )


@pytest.mark.parametrize(
    ("trigger_id", "path", "arguments", "fits"),
    [
        ("post-login", "multifactor.enable", {"provider": "any"}, True),
        ("post-login", "multifactor.enable", {"provider": "sms"}, False),
        ("post-login", "multifactor.enable", {}, False),
        ("post-login", "authentication.challengeWith", {"factor": {"type": "phone"}}, True),
        ("post-login", "authentication.challengeWith", {"factor": {"type": "fax"}}, False),
        ("post-login", "validation.error", {"errorCode": "x" * 100, "errorMessage": "y"}, True),
        ("post-login", "validation.error", {"errorCode": "x" * 101, "errorMessage": "y"}, False),
        (
            "custom-token-exchange",
            "authentication.setActor",
            {"actor": {"sub": "a", "act": {"sub": "b"}}},
            True,
        ),
        ("custom-token-exchange", "authentication.setActor", {"actor": {"act": {"sub": "b"}}}, False),
    ],
)
def test_arguments_are_described(trigger_id, path, arguments, fits):
    trigger = get_trigger(trigger_id)
    method = trigger.surface.get(path)
    assert method is not None
    assert accepts(argument_schema(trigger, method), arguments) is fits
