"""Event models read back as data: what hints, typings, pages and test strategies are made from."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from triggers.events.model.base import Known, Part, TextFormat, Values
from triggers.events.model.classes import FieldClass

Kind = Literal["string", "number", "boolean", "object", "list", "map", "any"]
_SCALARS: Final[dict[Any, Kind]] = {
    str: "string",
    float: "number",
    bool: "boolean",
    Any: "any",
    object: "any",
}
_WORDS: Final[dict[Kind, str]] = {
    "string": "a string",
    "number": "a number",
    "boolean": "a boolean",
    "object": "an object",
    "list": "a list",
    "map": "an object",
    "any": "a value",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of a property.

    Attributes:
        kind: JSON type; `map` is an object whose keys are free, `any` is any JSON.
        model: the model of an `object`.
        item: what a `list` or a `map` holds.
        known: documented values of a `string`; others are accepted.
        format: documented format of a `string`, such as `date-time`.
        values: TypeScript type that the values of a free `map` are documented to have.
        null: whether `null` passes validation.
    """

    kind: Kind
    model: type[Part] | None = None
    item: Shape | None = None
    known: tuple[str, ...] = ()
    format: str | None = None
    values: str | None = None
    null: bool = False

    def words(self) -> str:
        """The type as it is called in a message: `a list of strings`, `an object`."""
        if self.kind == "list" and self.item is not None:
            plural = self.item.words().removeprefix("a ").removeprefix("an ")
            return f"a list of {plural}s"
        return _WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a model.

    Attributes:
        name: its name in JSON.
        shape: its type.
        required: whether an event without it is refused.
        always: whether Actions can rely on it (then the host adds what an event lacks).
        about: one sentence.
        state: `early access`, `beta` and so on, or None.
        nullable: whether `null` is documented as a value of its own.
        holds: what class of data it holds; None means that it is denied, see `FieldClass`.
    """

    name: str
    shape: Shape
    required: bool
    always: bool
    about: str
    state: str | None
    nullable: bool
    holds: FieldClass | None


@cache
def properties(model: type[Part]) -> tuple[Property, ...]:
    """The declared properties of a model, in alphabetical order."""
    hints = get_type_hints(model, include_extras=True)
    found = (_property(name, hints[name], field) for name, field in model.model_fields.items())
    return tuple(sorted(found, key=lambda property_: property_.name))


def walk(model: type[Part], _above: tuple[type[Part], ...] = ()) -> Iterator[tuple[str, Property]]:
    """Every property below a model with its dotted path; lists add `[]`, maps `.*`.

    A model inside itself (`transaction.actor.act`) is named and not entered again.
    """
    above = (*_above, model)
    for entry in properties(model):
        yield entry.name, entry
        suffix, inner = _inner(entry.shape)
        if inner is not None and inner not in above:
            for path, below in walk(inner, above):
                yield f"{entry.name}{suffix}.{path}", below


def _inner(shape: Shape) -> tuple[str, type[Part] | None]:
    if shape.kind == "list" and shape.item is not None:
        return "[]", shape.item.model
    if shape.kind == "map" and shape.item is not None:
        return ".*", shape.item.model
    return "", shape.model


def _property(name: str, annotation: Any, field: Any) -> Property:
    marks = field.json_schema_extra or {}
    return Property(
        name=field.alias or name,
        shape=_shape(annotation),
        required=field.is_required(),
        always=field.is_required() or bool(marks.get("x-filled")),
        about=field.description or "",
        state=marks.get("x-state"),
        nullable=bool(marks.get("x-nullable")),
        holds=FieldClass(marks["x-holds"]) if "x-holds" in marks else None,
    )


def _shape(annotation: Any) -> Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *marks = get_args(annotation)
        return _marked(_shape(base), marks)
    if origin in (Union, types.UnionType):
        (base,) = (part for part in get_args(annotation) if part is not type(None))
        return replace(_shape(base), null=True)
    if origin is list:
        return Shape("list", item=_shape(get_args(annotation)[0]))
    if origin is dict:
        value = _shape(get_args(annotation)[1])
        return Shape("map", item=None if value.kind == "any" else value)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return Shape("object", model=annotation)
    return Shape(_SCALARS[annotation])


def _marked(shape: Shape, marks: list[Any]) -> Shape:
    for mark in marks:
        if isinstance(mark, Known):
            shape = replace(shape, known=mark.values)
        elif isinstance(mark, TextFormat):
            shape = replace(shape, format=mark.name)
        elif isinstance(mark, Values):
            shape = replace(shape, values=mark.typescript)
    return shape
