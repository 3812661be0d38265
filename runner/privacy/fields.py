"""Walks through an event, or a part of one, along its model: each value with the class that was declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from triggers import get_trigger
from triggers.events.model.classes import FieldClass
from triggers.events.model.introspection import Shape, properties

Kind: TypeAlias = FieldClass | Literal["denied", "listed", "time"]
"""The class of a value; `listed` and `time` are plain ones that are one of the documented values, or a time.
`denied`: no class was declared."""
DENIED: Final = "denied"
_MOST_LEVELS: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is. `path`: dotted, `[]` for the items of a list, as reports name it."""

    path: str
    kind: Kind


Visit: TypeAlias = Callable[[Place, Any], Any]
"""Gives the value that takes the place of another: of a single value, or of all of an open object."""
Rename: TypeAlias = Callable[[str], str]


def event_shape(trigger_id: str) -> Shape:
    """The shape of a trigger's whole event. Raises `LookupError`."""
    return Shape("object", model=get_trigger(trigger_id).event_model)


def at_path(shape: Shape, path: Sequence[Any]) -> tuple[Shape | None, FieldClass | None]:
    """The shape and class that are declared for a path in an event; None where nothing is."""
    found: Shape | None = shape
    holds: FieldClass | None = None
    for step in path:
        if found is None:
            break
        if found.model is not None:
            entry = next((item for item in properties(found.model) if item.name == step), None)
            found, holds = (None, None) if entry is None else (entry.shape, entry.holds)
        else:
            found = found.item
    return found, holds


def mapped(
    shape: Shape | None, holds: FieldClass | None, value: Any, path: str, visit: Visit, rename: Rename
) -> Any:
    """`value` with what `visit` gives in place of each part.

    Args:
        shape, holds: what is declared for it.
        rename: gives the name that takes the place of one that no model declares.
    """
    if value is None:
        return None
    if shape is not None and path.count(".") < _MOST_LEVELS:
        if shape.model is not None and isinstance(value, dict):
            return _object(shape, value, path, visit, rename)
        if shape.kind == "list" and isinstance(value, list):
            return [mapped(shape.item, holds, item, f"{path}[]", visit, rename) for item in value]
    if isinstance(value, dict | list) and holds is not FieldClass.CREDENTIAL:
        return visit(Place(path, DENIED), value)
    return visit(Place(path, _kind(shape, holds, value)), value)


def _kind(shape: Shape | None, holds: FieldClass | None, value: Any) -> Kind:
    if holds is None:
        return DENIED
    if holds is FieldClass.PLAIN and shape is not None:
        if shape.format == "date-time":
            return "time"
        if value in shape.known or not isinstance(value, str):
            return "listed"
    return holds


def _object(shape: Shape, value: dict[str, Any], path: str, visit: Visit, rename: Rename) -> dict[str, Any]:
    assert shape.model is not None
    known = {entry.name: entry for entry in properties(shape.model)}
    made: dict[str, Any] = {}
    for name, item in value.items():
        entry = known.get(name)
        if entry is not None:
            made[name] = mapped(entry.shape, entry.holds, item, _joined(path, name), visit, rename)
            continue
        new = rename(name)
        while new in made or new in known:
            new += "_"
        made[new] = visit(Place(_joined(path, "*"), DENIED), item)
    return made


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
