"""Hypothesis strategies made from the declarations: valid events, and values of every hostile kind."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from triggers.events import Part, event_model
from triggers.events.model.introspection import Property, Shape, properties

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXT
_DEEPEST = 8
"""Below it optional parts are left out, so that recursive models end."""

json_values: SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value, well formed."""

_KEYS = st.sampled_from(["a", "b", ""]) | _TEXT
"""Names in open objects: some of them are also what api calls ask for."""

json_objects: SearchStrategy[dict[str, Any]] = st.dictionaries(_TEXT, json_values, max_size=4)

wild_values: SearchStrategy[Any] = st.recursive(
    _SCALARS
    | st.floats()
    | st.integers(2**1020, 2**1030)
    | st.text(st.characters(categories=("Cs", "L")), max_size=3)
    | st.binary(max_size=3)
    | st.complex_numbers()
    | st.sets(st.integers(), max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(_TEXT | st.integers() | st.none() | st.just("\ud800"), inner, max_size=3)
    ),
    max_leaves=8,
)
"""What a careless or hostile caller can hand over as an event: JSON and much that is not."""


@cache
def events(trigger_id: str) -> SearchStrategy[dict[str, Any]]:
    """Events that the trigger's model accepts, optional parts there or not, open parts with extras."""
    return parts(event_model(trigger_id))


def parts(model: type[Part], depth: int = 0) -> SearchStrategy[dict[str, Any]]:
    """Objects that a model accepts."""
    known = properties(model)
    required = {entry.name: _values(entry.shape, depth + 1) for entry in known if entry.required}
    optional = {entry.name: _optional(entry, depth + 1) for entry in known if not entry.required}
    named = st.fixed_dictionaries(required, optional=optional if depth < _DEEPEST else {})
    if not model.OPEN:
        return named
    extras = st.dictionaries(
        _TEXT.filter(lambda key: key not in required | optional), json_values, max_size=1
    )
    return st.builds(lambda more, mine: {**more, **mine}, extras, named)


def _optional(entry: Property, depth: int) -> SearchStrategy[Any]:
    values = st.deferred(lambda: _values(entry.shape, depth))
    return st.none() | values if entry.nullable else values


def _values(shape: Shape, depth: int) -> SearchStrategy[Any]:
    if shape.model is not None:
        return parts(shape.model, depth)
    if shape.kind == "list" and shape.item is not None:
        return st.lists(_values(shape.item, depth), max_size=2)
    if shape.kind == "map":
        inner = _values(shape.item, depth) if shape.item else json_values
        return st.dictionaries(_KEYS, inner, max_size=2)
    return _scalars(shape)


def _scalars(shape: Shape) -> SearchStrategy[Any]:
    if shape.format == "date-time":
        return st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
    if shape.kind == "string":
        return st.sampled_from(shape.known) | _TEXT if shape.known else _TEXT
    return {"number": _NUMBERS, "boolean": st.booleans(), "any": json_values}[shape.kind]
