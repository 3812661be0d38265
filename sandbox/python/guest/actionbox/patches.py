"""Changes to Python's own library, which was written for callers who may do everything.

It makes code of names that it is given (dataclasses), attributes (functools) and members of classes (enum,
dataclasses), and evaluates annotations that are text. Here a name is checked where it is used, and has to be
of exactly Python's own type of texts; no text is evaluated.
"""

import collections
import dataclasses
import enum
import functools
import keyword
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import annotationlib

from . import guards
from .names_of_classes import CLASS_NAMES, MADE_BY_PYTHON, MODULE_NAMES

_field_name = dataclasses.Field.__dict__["name"]
_enum_setitem = enum.EnumDict.__setitem__
_process_class = dataclasses._process_class  # type: ignore[attr-defined]
_TEXTS = frozenset(functools.WRAPPER_ASSIGNMENTS)


def install() -> None:
    """Once, before the image is taken."""
    annotationlib.ForwardRef.evaluate = _no_text  # type: ignore[method-assign]
    annotationlib.ForwardRef._evaluate = _no_text  # type: ignore[method-assign]
    dataclasses.Field.name = property(_field_name.__get__, _name_field)  # type: ignore[assignment,misc]
    dataclasses.Field.__init_subclass__ = classmethod(_no_subclass)  # type: ignore[assignment]
    dataclasses._process_class = _processed  # type: ignore[attr-defined]
    enum.EnumDict.__setitem__ = _add_member  # type: ignore[method-assign]
    collections.UserString.format = _format  # type: ignore[method-assign,assignment]
    collections.UserString.format_map = _format_map  # type: ignore[method-assign,assignment]


def _no_text(*_arguments: object, **_options: object) -> Any:
    raise TypeError("annotations that are text are not evaluated in Actions")


def _no_subclass(_cls: Any, /, **_options: object) -> None:
    raise TypeError("dataclasses.Field has no subclasses in Actions; use dataclasses.field(metadata=...)")


def _name_field(field: Any, name: object) -> None:
    """dataclasses writes methods as text, with the names of the fields in them."""
    if name is not None:
        check_name(name)
    _field_name.__set__(field, name)


def check_name(name: object) -> None:
    """A field's name: an identifier that an Action could write as an attribute."""
    if type(name) is not str or not name.isidentifier() or keyword.iskeyword(name):
        raise TypeError(f"Field names must be valid identifiers: {name!r}")
    if name.startswith("__") and name.endswith("__"):
        raise TypeError(f"the field name '{name}' is not available to Actions")


def check_member(name: object) -> None:
    """Refuse a member that a namespace adds to a class and that no class statement could define."""
    if type(name) is not str:
        raise TypeError(f"names of members must be text, not '{type(name).__name__}'")
    if name.startswith("__") and name.endswith("__") and name not in CLASS_NAMES | MODULE_NAMES:
        raise TypeError(f"the name '{name}' is not available to Actions")
    if name == "__match_args__":
        raise TypeError("__match_args__ is written in a class statement")


def make_dataclass(
    cls_name: str, fields: Iterable[Any], *, namespace: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """`dataclasses.make_dataclass` with what a class statement could say."""
    listed = [item if isinstance(item, str) else tuple(item) for item in fields]
    for item in listed:
        check_name(item if isinstance(item, str) else item[0])
    members = {**(namespace or {})}
    for name in members:
        check_member(name)
    return dataclasses.make_dataclass(cls_name, listed, namespace=members, **options)


def _processed(cls: type, *arguments: Any, **options: Any) -> Any:
    """A pattern reads what `__match_args__` names: `format` of a class that is also a text is none of it."""
    made = _process_class(cls, *arguments, **options)
    names = made.__dict__.get("__match_args__", ())
    found = [index for index, name in enumerate(names) if name in guards.FORMATS]
    if found:
        setattr(made, "__match_args__", names[: found[0]])  # noqa: B010 - mypy refuses the name
    return made


def _add_member(members: Any, name: object, value: object) -> None:
    if type(name) is not str or name not in MADE_BY_PYTHON:
        check_member(name)
    _enum_setitem(members, name, value)  # type: ignore[arg-type]


def _format(text: Any, /, *arguments: Any, **options: Any) -> str:
    return guards.format_method(text.data, "format")(*arguments, **options)


def _format_map(text: Any, mapping: Any) -> str:
    return guards.format_method(text.data, "format_map")(mapping)


def update_wrapper(
    wrapper: Any,
    wrapped: Any,
    assigned: Iterable[str] = functools.WRAPPER_ASSIGNMENTS,
    updated: Iterable[str] = functools.WRAPPER_UPDATES,
) -> Any:
    """`functools.update_wrapper` of texts and of what the Action itself has set on a function."""
    for name in assigned:
        if type(name) is not str or name not in _TEXTS:
            guards.check(name)
        try:
            value = getattr(wrapped, name)
        except AttributeError:
            continue
        setattr(wrapper, name, value)
    for name in updated:
        if type(name) is not str or name != "__dict__":
            raise TypeError("only __dict__ can be updated in Actions")
        if type(wrapper) is types.FunctionType and type(wrapped) is types.FunctionType:
            vars(wrapper).update(vars(wrapped))
    wrapper.__wrapped__ = wrapped
    return wrapper


def wraps(
    wrapped: Any,
    assigned: Iterable[str] = functools.WRAPPER_ASSIGNMENTS,
    updated: Iterable[str] = functools.WRAPPER_UPDATES,
) -> Callable[[Any], Any]:
    """`functools.wraps`, with the same."""
    return lambda wrapper: update_wrapper(wrapper, wrapped, assigned, updated)
