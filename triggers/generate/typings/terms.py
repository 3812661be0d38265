"""Types of events and of api members in one small language, which the printers turn into text."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_typeddict

from triggers.events.model.base import Part
from triggers.events.model.introspection import Shape, properties

if TYPE_CHECKING:
    from triggers.engine.surface import Method, Option, Parameter
    from triggers.engine.trigger import Trigger

Kind = Literal[
    "any",
    "string",
    "number",
    "boolean",
    "null",
    "error",
    "literal",
    "known",
    "list",
    "map",
    "object",
    "union",
]
_PLAIN: Final[dict[Any, Kind]] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    None: "null",
    type(None): "null",
    Any: "any",
    object: "any",
    dict: "map",
    list: "list",
}
_WRAPPERS: Final = (Annotated, NotRequired, Required)


@dataclass(frozen=True, slots=True)
class Term:
    """A type.

    Attributes:
        kind: `literal` is exactly one of `values`, `known` is any string, `values` being the usual ones.
        items: members of a `union`; the one item type of a `list` or value type of a `map`.
        values: of `literal` and `known`.
        record: class of an `object`, a model or a TypedDict.
    """

    kind: Kind
    items: tuple[Term, ...] = ()
    values: tuple[Any, ...] = ()
    record: type | None = None

    def without_null(self) -> Term:
        """The type, less `null`."""
        if self.kind != "union":
            return self
        return union(item for item in self.items if item.kind != "null")

    @property
    def has_null(self) -> bool:
        return self.kind == "null" or any(item.kind == "null" for item in self.items if self.kind == "union")


NULL: Final = Term("null")
ANY: Final = Term("any")


@dataclass(frozen=True, slots=True)
class Field:
    """One property of an object type. `optional`: can be absent."""

    name: str
    term: Term
    optional: bool
    about: str


def union(items: Iterable[Term]) -> Term:
    """A union without repetitions; of one type, that type."""
    flat = (part for item in items for part in (item.items if item.kind == "union" else (item,)))
    different = tuple(dict.fromkeys(flat))
    if ANY in different:
        return ANY
    return different[0] if len(different) == 1 else Term("union", different)


def of_annotation(annotation: Any) -> Term:
    """The type that an annotation of an api surface stands for."""
    origin = get_origin(annotation)
    if origin in _WRAPPERS:
        return of_annotation(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return union(of_annotation(item) for item in get_args(annotation))
    if origin is Literal:
        return Term("literal", values=get_args(annotation))
    if origin is list:
        return Term("list", (of_annotation(get_args(annotation)[0]),))
    if origin is dict:
        return Term("map", (of_annotation(get_args(annotation)[1]),))
    if is_typeddict(annotation):
        return Term("object", record=annotation)
    kind = _PLAIN[annotation]
    return Term(kind, (ANY,)) if kind in ("map", "list") else Term(kind)


def of_argument(item: Parameter | Option) -> Term:
    """The type of an argument; that it may be `null` or left out is for the printers to say."""
    term = of_annotation(item.type)
    return union((term, Term("error"))) if item.message else term


def of_shape(shape: Shape) -> Term:
    """The type of an event property; that optional ones may be `null` is left out."""
    if shape.kind == "string" and shape.known:
        return Term("known", values=shape.known)
    if shape.kind == "list" and shape.item is not None:
        return Term("list", (of_shape(shape.item),))
    if shape.kind == "map":
        return Term("map", (_map_values(shape),))
    return Term(shape.kind, record=shape.model)


def _map_values(shape: Shape) -> Term:
    if shape.item is not None:
        return of_shape(shape.item)
    scalars: dict[str, Kind] = {"string": "string", "number": "number", "boolean": "boolean"}
    return union(Term(scalars[name]) for name in shape.values.split(" | ")) if shape.values else ANY


def fields(record: type) -> tuple[Field, ...]:
    """The properties of an object type."""
    if issubclass(record, Part):
        return tuple(_part_fields(record))
    return tuple(_dict_fields(record))


def _part_fields(model: type[Part]) -> Iterator[Field]:
    for entry in properties(model):
        term = of_shape(entry.shape)
        about = f"{entry.about} [{entry.state}]" if entry.state else entry.about
        yield Field(entry.name, union((term, NULL)) if entry.nullable else term, not entry.always, about)


def _dict_fields(record: Any) -> Iterator[Field]:
    for name, annotation in get_type_hints(record, include_extras=True).items():
        # `__optional_keys__` misses NotRequired in modules that postpone annotations.
        optional = get_origin(annotation) is NotRequired or name in record.__optional_keys__
        yield Field(name, of_annotation(annotation), optional, _description(annotation))


def _description(annotation: Any) -> str:
    if get_origin(annotation) in (NotRequired, Required):
        return _description(get_args(annotation)[0])
    if get_origin(annotation) is Annotated:
        found = [mark.description for mark in get_args(annotation)[1:] if getattr(mark, "description", None)]
        return str(found[0]) if found else ""
    return ""


def is_open(record: type) -> bool:
    """Whether an object type is documented to have further properties."""
    if issubclass(record, Part):
        return record.OPEN
    return bool(getattr(record, "__pydantic_config__", {}).get("extra") == "allow")


def records(terms: Iterable[Term]) -> list[type]:
    """Every object type that the types mention, directly or not, each once, outer ones first."""
    found: dict[type, None] = {}
    waiting = list(terms)
    while waiting:
        term = waiting.pop(0)
        waiting.extend(term.items)
        if term.record is not None and term.record not in found:
            found[term.record] = None
            waiting.extend(field.term for field in fields(term.record))
    return list(found)


@dataclass(frozen=True)
class Types:
    """The object types of one trigger, each under a name of its own.

    Attributes:
        names: by class. Where two classes share a name, the one used for arguments gets `Argument` behind it.
        event: what the trigger hands to Actions, and what its api answers.
        arguments: what Actions hand to the api.
    """

    names: Mapping[type, str]
    event: tuple[type, ...]
    arguments: tuple[type, ...]


def types_of(trigger: Trigger) -> Types:
    """Collect and name the object types of a trigger."""
    given = [of_annotation(item.type) for method in trigger.surface.methods for item in arguments(method)]
    answered = [
        of_annotation(method.value)
        for method in trigger.surface.methods
        if method.returns in ("value", "promise")
    ]
    event = records([Term("object", record=trigger.event_model), *answered])
    names = {record: record.__name__ for record in event} | {trigger.event_model: "Event"}
    arguments_ = [record for record in records(given) if record not in names]
    for record in arguments_:
        taken = record.__name__ in names.values()
        names[record] = f"{record.__name__}Argument" if taken else record.__name__
    return Types(names, tuple(event), tuple(arguments_))


def arguments(method: Method) -> list[Parameter | Option]:
    """Parameters and options of a method, in the order of its signature."""
    return [*method.parameters, *(method.options.members if method.options else ())]
