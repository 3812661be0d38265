"""Units that an Action brings along: shared modules (`actions.NAME`) and files of pure-Python packages.

Each is a unit: code that the host hands over when it is first imported, run once per execution. A unit sees
the packages of its own scope: those of the Action (scope empty), or those of one shared module.
"""

import marshal
import sys
import types
from collections.abc import Iterable
from typing import Any

from . import failures, modules, records, wire
from .context import NAMESPACE, absolute

_Key = tuple[str, str]
"""Scope and full name."""

_units: dict[_Key, tuple[int, bool]] = {}
"""The host's number of a unit, and whether it is a package."""
_loaded: dict[_Key, types.ModuleType] = {}
_failed: dict[_Key, BaseException] = {}
_secrets: dict[str, records.Record] = {}
"""Of each shared module, by its full name."""
_builtins: dict[str, Any] = {}


def equip(units: list[Any], secrets: str, builtins: dict[str, Any]) -> dict[str, Any]:
    """Before an Action runs that brings units along.

    Args:
        units: [scope, name, whether a package, name of a shared module or empty], in the host's order.
        secrets: JSON: secrets by name, by name of the shared module; may be empty.

    Returns:
        the builtins of the Action.
    """
    _builtins.update(builtins)
    given = records.parse(secrets) if secrets else {}
    for number, (scope, name, package, module) in enumerate(units):
        _units[scope, name] = (number, package)
        if module:
            _secrets[name] = given.get(module, records.Record())
    return builtins | {"__import__": _Importer("", "", _Modules(NAMESPACE))}


class _Modules(types.ModuleType):
    """`actions` in an Action: its shared modules, each loaded when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if ("", f"{NAMESPACE}.{name}") not in _units:
            raise AttributeError(f"the Action has no module '{name}'")
        module = vars(self)[name] = _module("", f"{NAMESPACE}.{name}")
        return module

    def imported(self, full: str, members: Iterable[str]) -> Any:
        """The module that `import full`, or `from full import members`, gives."""
        name = full.partition(".")[2]
        if not name:
            for member in members:
                self._found(member)
            return self
        module = self._found(name)
        return module if members else self

    def _found(self, name: str) -> Any:
        if ("", f"{NAMESPACE}.{name}") not in _units:
            raise ModuleNotFoundError(f"the Action has no module '{name}'", name=f"{NAMESPACE}.{name}")
        return getattr(self, name)


class _Own(types.ModuleType):
    """`actions` in a shared module: its own secrets."""

    secrets: Any

    def imported(self, full: str, _members: Iterable[str]) -> Any:
        if full != NAMESPACE:
            raise ImportError("A module cannot use other modules.", name=full)
        return self


class _Importer:
    """`__import__` of one unit.

    Args:
        package: what its relative imports begin from; empty for none.
        actions: what it gets as `actions`; None for a package.
    """

    def __init__(self, scope: str, package: str, actions: _Modules | _Own | None) -> None:
        self._scope = scope
        self._package = package
        self._actions = actions

    def __call__(
        self, name: str, _globals: object = None, _locals: object = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if level and not self._package:
            return modules.load(name, level=level)
        full = absolute(self._package, name, level) if level else name
        top = full.partition(".")[0]
        if top == NAMESPACE and self._actions is not None:
            return self._actions.imported(full, fromlist or ())
        if (self._scope, top) in _units:
            return _of_package(self._scope, full, fromlist or ())
        return modules.load(name, fromlist=fromlist)


def _of_package(scope: str, full: str, members: Iterable[str]) -> types.ModuleType:
    parts = full.split(".")
    first = module = _module(scope, parts[0])
    for count in range(2, len(parts) + 1):
        module = _module(scope, ".".join(parts[:count]))
    if not members:
        return first
    for member in members:
        if member not in vars(module) and (scope, f"{full}.{member}") in _units:
            _module(scope, f"{full}.{member}")
    return module


def _module(scope: str, name: str) -> types.ModuleType:
    """The module of a unit, loaded now if it was not before; its error, again, if that failed."""
    key = (scope, name)
    if key in _failed:
        raise _failed[key]
    found = _loaded.get(key)
    if found is None:
        if key not in _units:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        found = _loaded[key] = types.ModuleType(name)
        try:
            _run(found, scope, *_units[key])
        except BaseException as error:
            _failed[key] = error
            raise
        parent, _, child = name.rpartition(".")
        if (scope, parent) in _loaded:
            vars(_loaded[scope, parent])[child] = found
    return found


def _run(module: types.ModuleType, scope: str, number: int, is_package: bool) -> None:
    name = module.__name__
    program = marshal.loads(wire.unit(number).encode("latin-1"))
    failures.add_filename(program.co_filename)
    sys.modules.setdefault(name, module)  # dataclasses and typing look a class's module up by its name
    members = vars(module)
    if scope == "" and name in _secrets:
        inner = name.partition(".")[2]
        own = _Own(NAMESPACE)
        own.secrets = _secrets[name]
        given = {"__import__": _Importer(inner, "", own), "actions": own}
    else:
        package = name if is_package else name.rpartition(".")[0]
        given = {"__import__": _Importer(scope, package, None)}
        members["__package__"] = package
    members["__builtins__"] = _builtins | given
    exec(program, members)
