"""Every field of every event has a class, or is denied."""

from __future__ import annotations

from typing import Any

import pytest

from runner.privacy.fields import DENIED, Place, mapped
from triggers import get_trigger
from triggers.events.model.base import CREDENTIAL, PLAIN, OpenMap, Part, may, must
from triggers.events.model.classes import FieldClass
from triggers.events.model.introspection import Shape, walk
from triggers.registry import known_triggers

TRIGGERS = sorted(trigger.id for trigger in known_triggers())


class Inner(Part):
    told: str = must("Classed.", PLAIN)
    new: str = must("Not classed.")


class Event(Part):
    inner: Inner = must("An object.")
    listed: list[str] | None = may("Not classed.")
    number: float | None = may("Not classed.")
    open: OpenMap = must("An open object.")
    secret: OpenMap = must("An open object of one class.", CREDENTIAL)


def fields(trigger_id: str) -> list[Any]:
    return list(walk(get_trigger(trigger_id).event_model))


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_every_single_value_has_a_class_and_every_open_object_is_denied(trigger_id: str) -> None:
    for path, entry in fields(trigger_id):
        shape = entry.shape.item if entry.shape.kind == "list" and entry.shape.item else entry.shape
        if shape.kind == "object":
            assert entry.holds is None, path
        elif shape.kind in ("map", "any"):
            assert entry.holds in (None, CREDENTIAL), path
        else:
            assert entry.holds is not None, path


@pytest.mark.parametrize("trigger_id", TRIGGERS)
def test_classes_are_what_names_promise(trigger_id: str) -> None:
    """Fields of one name hold one class of data, in every trigger."""
    expected = {
        "email": FieldClass.CONTACT,
        "phone_number": FieldClass.CONTACT,
        "user_id": FieldClass.IDENTIFIER,
        "ip": FieldClass.NETWORK,
        "user_agent": FieldClass.NETWORK,
        "given_name": FieldClass.IDENTIFIER,
        "subject_token": FieldClass.CREDENTIAL,
        "code": FieldClass.CREDENTIAL,
    }
    for path, entry in fields(trigger_id):
        if entry.name in expected and "assessments" not in path.lower():
            assert entry.holds is expected[entry.name], path


def test_what_has_no_class_is_denied() -> None:
    seen: dict[str, Any] = {}

    def visit(place: Place, value: Any) -> Any:
        seen[place.path] = place.kind
        return value

    event = {
        "inner": {"told": "a", "new": "b", "unknown": {"deep": 1}},
        "listed": ["a"],
        "number": 1,
        "open": {"a": 1},
        "secret": {"a": "b"},
        "more": "c",
    }
    assert mapped(Shape("object", model=Event), None, event, "", visit, str) == event
    assert seen == {
        "inner.told": FieldClass.PLAIN,
        "inner.new": DENIED,
        "inner.*": DENIED,
        "listed[]": DENIED,
        "number": DENIED,
        "open": DENIED,
        "secret": FieldClass.CREDENTIAL,
        "*": DENIED,
    }
