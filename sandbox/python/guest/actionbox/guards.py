"""Run-time guards for what a source does not show: computed attribute names and format strings."""

import _string
import functools
import string
import types
import typing
from collections.abc import Callable
from typing import Any

from .names_of_classes import HIDDEN, READABLE

FORMAT_GUARD = "<format>"
"""Builtin that replaces reads of `.format`; no source can spell or shadow the name."""

CLASS_GUARD = "<class>"
"""Builtin that replaces reads of `.__class__`."""
FORMATS = ("format", "format_map")
"""Methods of texts that read attributes."""

TEXT_ATTRIBUTES = frozenset(("__name__", "__qualname__", "__doc__"))
"""Special attributes that only ever hold text."""
TUPLE_ATTRIBUTES = frozenset(("_replace", "_asdict", "_fields", "_make", "_field_defaults"))
"""What named tuples call their public methods."""


def check(name: str) -> None:
    """Raise AttributeError when Actions may not use the attribute `name`."""
    if type(name) is not str:
        raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")
    special = name in TEXT_ATTRIBUTES or name in TUPLE_ATTRIBUTES or name in READABLE
    if name in HIDDEN or (name[:1] == "_" and not special):
        raise AttributeError(f"the attribute '{name}' is not available to Actions")


def tenant_getattr(value: object, name: str, *default: Any) -> Any:
    if type(name) is str and name == "__class__":
        return class_of(value)
    check(name)
    found = getattr(value, name, *default)
    return _formatting(found) if name in FORMATS else found


def tenant_hasattr(value: object, name: str) -> bool:
    try:
        check(name)
    except AttributeError:
        return type(name) is str and name == "__class__"
    return hasattr(value, name)


def tenant_setattr(value: object, name: str, new: object) -> None:
    _check_change(name)
    setattr(value, name, new)


def tenant_delattr(value: object, name: str) -> None:
    _check_change(name)
    delattr(value, name)


def _check_change(name: str) -> None:
    check(name)
    if name in READABLE:
        raise AttributeError(f"the attribute '{name}' cannot be changed by Actions")


def tenant_dir(*values: object) -> list[str]:
    """Public names only; without an argument there is no scope to list."""
    if len(values) != 1:
        raise TypeError("dir() takes exactly one argument in Actions")
    return [name for name in dir(values[0]) if not name.startswith("_")]


class _Formatter(string.Formatter):
    """`str.format` whose fields read no private attribute (CVE-2023-41039, CVE-2026-76825)."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        first, rest = _string.formatter_field_name_split(field_name)
        value = self.get_value(first, args, kwargs)
        for is_attribute, key in rest:
            value = tenant_getattr(value, key) if is_attribute else value[key]
        return value, first


_formatter = _Formatter()


def format_method(value: Any, name: str) -> Callable[..., str]:
    """The method that `value.format` or `value.format_map` means in an Action."""
    return _formatting(getattr(value, name))


def _formatting(found: Any) -> Any:
    """The method itself, unless it is one of a text: however it was reached, its fields are guarded."""
    kind, name = type(found), getattr(found, "__name__", "")
    if kind is types.MethodDescriptorType and found.__objclass__ is str and name in FORMATS:
        return lambda text, *arguments, **options: _format(text, name, arguments, options)
    if kind is types.BuiltinMethodType and name in FORMATS and issubclass(type(found.__self__), str):
        text = str.__str__(found.__self__)
        return lambda *arguments, **options: _format(text, name, arguments, options)
    return found


def _format(text: str, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    text = str.__str__(text)
    if name == "format":
        return _formatter.vformat(text, arguments, options)
    (mapping,) = arguments
    return _formatter.vformat(text, (), mapping)


def attrgetter(*names: str) -> Callable[[Any], Any]:
    """`operator.attrgetter` that reads as an Action does."""
    if not names:
        raise TypeError("attrgetter expected at least 1 argument, got 0")
    if not all(type(name) is str for name in names):
        raise TypeError("attribute name must be a string")
    paths = [name.split(".") for name in names]
    for path in paths:
        for part in path:
            if part != "__class__":
                check(part)
    if len(paths) == 1:
        return lambda value: functools.reduce(tenant_getattr, paths[0], value)
    return lambda value: tuple(functools.reduce(tenant_getattr, path, value) for path in paths)


def methodcaller(name: str, /, *arguments: Any, **options: Any) -> Callable[[Any], Any]:
    """`operator.methodcaller` that checks the name."""
    check(name)
    return lambda value: tenant_getattr(value, name)(*arguments, **options)


def singledispatch(function: Callable[..., Any]) -> Any:
    """`functools.singledispatch` that runs no text: its own `register` takes an annotation that is a string
    for code, which no policy has seen."""
    dispatch = functools.singledispatch(function)
    register = dispatch.register
    dispatch.register = _registering(register)  # type: ignore[method-assign]
    return dispatch


class singledispatchmethod(functools.singledispatchmethod):  # noqa: N801
    """The same for methods."""

    def register(self, cls: Any, method: Any = None) -> Any:
        return _registering(super().register)(cls, method)


def _registering(register: Callable[..., Any]) -> Callable[..., Any]:
    def checked(kind: Any, function: Any = None) -> Any:
        if function is not None or not callable(getattr(kind, "__func__", kind)) or isinstance(kind, type):
            return register(kind, function)
        annotations = list(getattr(getattr(kind, "__func__", kind), "__annotations__", {}).items())
        wanted = annotations[0][1] if annotations and annotations[0][0] != "return" else None
        if not isinstance(wanted, (type, types.UnionType)):
            raise TypeError("register() needs the type: @name.register(int), or an annotation that is a type")
        return register(wanted, kind)

    return checked


def class_of(value: object) -> type:
    """`type(value)`; for a class, what `type` means in an Action.

    The real one, called with a namespace, makes classes that no policy has seen.
    """
    kind = type(value)
    return TenantType if issubclass(kind, type) else kind


def get_origin(form: Any) -> Any:
    """`typing.get_origin`."""
    found = typing.get_origin(form)
    return TenantType if isinstance(found, type) and issubclass(found, type) else found


class _TypeMeta(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, type)

    def __subclasscheck__(cls, value: type) -> bool:
        return issubclass(value, type)

    def __call__(cls, *arguments: object) -> type:
        if len(arguments) != 1:
            raise TypeError("type() takes one argument in Actions; use a class statement")
        return class_of(arguments[0])

    def __getitem__(cls, item: object) -> Any:
        return types.GenericAlias(cls, item)

    def __eq__(cls, other: object) -> bool:
        return other is type or other is cls

    def __hash__(cls) -> int:
        return hash(type)

    def __repr__(cls) -> str:
        return "<class 'type'>"


class TenantType(metaclass=_TypeMeta):
    """`type` with one argument; also what `isinstance(x, type)` and annotations mean."""


TenantType.__module__, TenantType.__name__, TenantType.__qualname__ = "builtins", "type", "type"


class KindOnly:
    """A type of Python's own that Actions may test for but not make, and where its objects come from."""

    def __init__(self, kind: type, source: str = "def and lambda") -> None:
        self._kind = kind
        self._source = source

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._kind)

    def __call__(self, *_arguments: object, **_options: object) -> Any:
        raise TypeError(f"{self._kind.__name__} objects come from {self._source}")

    def __or__(self, other: Any) -> Any:
        return self._kind | other

    __ror__ = __or__

    def __repr__(self) -> str:
        return repr(self._kind)
