"""Run-time guards for what a source does not show: computed attribute names and format strings."""

import _string
import functools
import operator
import string
import types
from collections.abc import Callable
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES

FORMAT_GUARD = "<format>"
"""Builtin that replaces reads of `.format`; no source can spell or shadow the name."""

TEXT_ATTRIBUTES = frozenset(("__name__", "__qualname__", "__doc__"))
"""Special attributes that only ever hold text."""
TUPLE_ATTRIBUTES = frozenset(("_replace", "_asdict", "_fields", "_make", "_field_defaults"))
"""What named tuples call their public methods."""


def check(name: str) -> None:
    """Raise AttributeError when Actions may not use the attribute `name`."""
    if type(name) is not str:
        raise TypeError(f"attribute name must be string, not '{type(name).__name__}'")
    allowed = name in TEXT_ATTRIBUTES or name in TUPLE_ATTRIBUTES or name[:1] != "_"
    if name in INSPECT_ATTRIBUTES or not allowed:
        raise AttributeError(f"the attribute '{name}' is not available to Actions")


def tenant_getattr(value: object, name: str, *default: Any) -> Any:
    check(name)
    if name in ("format", "format_map"):
        return format_method(value, name)
    return getattr(value, name, *default)


def tenant_hasattr(value: object, name: str) -> bool:
    try:
        check(name)
    except AttributeError:
        return False
    return hasattr(value, name)


def tenant_setattr(value: object, name: str, new: object) -> None:
    check(name)
    setattr(value, name, new)


def tenant_delattr(value: object, name: str) -> None:
    check(name)
    delattr(value, name)


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
    """What `value.format` or `value.format_map` means in an Action."""
    if isinstance(value, str):
        text = str.__str__(value)
        if name == "format":
            return lambda *arguments, **options: _formatter.vformat(text, arguments, options)
        return lambda mapping: _formatter.vformat(text, (), mapping)
    if isinstance(value, type) and issubclass(value, str):
        return lambda text, *arguments, **options: _formatter.vformat(text, arguments, options)
    return getattr(value, name)


def attrgetter(*names: str) -> Any:
    """`operator.attrgetter` that checks each part of each name."""
    for name in names:
        for part in str(name).split("."):
            check(part)
    return operator.attrgetter(*names)


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


class singledispatchmethod(functools.singledispatchmethod):  # type: ignore[type-arg]  # noqa: N801
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


class _TypeMeta(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, type)

    def __subclasscheck__(cls, value: type) -> bool:
        return issubclass(value, type)

    def __call__(cls, *arguments: object) -> type:
        if len(arguments) != 1:
            raise TypeError("type() takes one argument in Actions; use a class statement")
        return type(arguments[0])

    def __getitem__(cls, item: object) -> Any:
        return type[item]

    def __eq__(cls, other: object) -> bool:
        return other is type or other is cls

    def __hash__(cls) -> int:
        return hash(type)

    def __or__(cls, other: Any) -> Any:
        return type | other

    def __ror__(cls, other: Any) -> Any:
        return other | type

    def __repr__(cls) -> str:
        return "<class 'type'>"


class TenantType(metaclass=_TypeMeta):
    """`type` with one argument; also what `isinstance(x, type)` and annotations mean."""


class KindOnly:
    """A type of Python's own that Actions may test for but not make."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._kind)

    def __call__(self, *_arguments: object, **_options: object) -> Any:
        raise TypeError(f"{self._kind.__name__} objects come from def and lambda")

    def __or__(self, other: Any) -> Any:
        return self._kind | other

    __ror__ = __or__

    def __repr__(self) -> str:
        return repr(self._kind)
