"""Packages whose `exports` lead nowhere: refused when a version is built, not when the line runs."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.names import split_specifier

_CONDITIONS: Final = ("node", "module-sync", "require", "import", "default")
"""Those that hold for an Action, in one line of it or another."""
_MOST_TOLD: Final = 5


class Wanting(Protocol):
    """A scope that requires packages: `sandbox.javascript.building.bundle.Scope`."""

    @property
    def at(self) -> str: ...
    @property
    def required(self) -> frozenset[str]: ...


def check(
    specifier: str, who: Wanting, read: Callable[[str], bytes | None], paths: Callable[[], Iterator[str]]
) -> None:
    """Refuse what nothing serves because of the package's `exports`.

    A package that is only declared passes as long as something of it can be required.

    Args:
        specifier: what was looked for in vain.
        read, paths: content of a file of the packages, and the names of all.

    Raises:
        DependencyError: `exports`.
    """
    name, subpath = split_specifier(specifier)
    folder = f"{who.at}node_modules/{name}/"
    manifest = _manifest(read(folder + "package.json"))
    exports = manifest.get("exports")
    if exports is None:
        return
    members = exports if _has_subpaths(exports) else {".": exports}
    if specifier not in who.required and any(
        _is_served(target, folder, paths) for member in members.values() for target in _targets(member)
    ):
        return
    wanted = f"./{subpath}" if subpath else "."
    named = next(_targets(members.get(wanted)), None)
    label = f"{name}@{manifest.get('version', '')}"
    reason = (
        f"its `exports` have nothing for {wanted!r} that Node could load"
        if named is None
        else f"its `exports` name {named!r}, which is not in its archive"
    )
    raise DependencyError(
        "exports",
        f"{specifier} cannot be required: {label} has no such file, because {reason}.",
        package=name,
        next_step=_advice(name, members, wanted),
    )


def _advice(name: str, members: dict[str, Any], wanted: str) -> str:
    others = [name + key[1:] for key in members if key not in (wanted, "./package.json") and "*" not in key]
    other = f"Require what it exports ({', '.join(others[:_MOST_TOLD])}), or use" if others else "Use"
    return f"{other} another version of the package."


def _manifest(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads((data or b"").decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_subpaths(exports: Any) -> bool:
    return isinstance(exports, dict) and any(key.startswith(".") for key in exports)


def _targets(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from _targets(item)
    elif isinstance(tree, dict):
        for condition, item in tree.items():
            if condition in _CONDITIONS:
                yield from _targets(item)


def _is_served(target: str, folder: str, paths: Callable[[], Iterator[str]]) -> bool:
    pattern = folder + target.removeprefix("./")
    return any(fnmatch.fnmatchcase(path, pattern) for path in paths())
