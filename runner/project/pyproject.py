"""Packages and shared modules of Python Actions in files: declared in a `pyproject.toml` beside the Action.

    [tool.actionbox]
    dependencies = ["idna==3.10"]

    [tool.actionbox.modules.greeter]
    file = "greeter.py"
    dependencies = []

Packages come from a folder of wheels (`--wheels`, `ACTIONBOX_WHEELS`) and nowhere else. What was taken is
noted in `actionbox.lock.json`; later builds take these bytes or none.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from runner.model.errors import ActionError
from runner.model.source_size import check_size
from runner.project.lockfile import LockFile, invalid
from sandbox.core.caps import MAX_SOURCE_BYTES
from sandbox.core.program import Source

MANIFEST: Final = "pyproject.toml"
WHEELS: Final = "ACTIONBOX_WHEELS"
"""Environment variable: the folder of wheels."""
_SCOPE: Final = "actions:"
_OURS: Final = frozenset(("actions", "actionbox", "jwt"))
_IMPORT: Final = re.compile(r"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([^#\n]+))", re.MULTILINE)


def with_wheels(path: Path, source: Source, say: Callable[[str], None]) -> Source:
    """`source`, the Python Action in the file `path`, with what the `pyproject.toml` beside it declares.

    An Action that imports nothing beyond the standard library gets no packages, and needs no folder of them.

    Raises:
        ActionError: `dependency`: something declared cannot be had; `invalid_pyproject`.
    """
    tables = declared_tables(path.with_name(MANIFEST))
    declared = {name: table for name, table in tables.items() if name != "allow"}
    if not declared:
        return source
    # Imported when used: most Actions have no dependencies.
    from sandbox.packages.errors import DependencyError

    try:
        return _prepare(path, source, declared, say)
    except DependencyError as error:
        raise ActionError("dependency", error.message, next_step=error.next_step, source=str(path)) from error


def declared_tables(manifest: Path) -> Mapping[str, Any]:
    """The table `tool.actionbox`; empty when there is none. Raises `ActionError` (`invalid_pyproject`)."""
    if not manifest.is_file():
        return {}
    try:
        with manifest.open("rb") as file:
            table = tomllib.load(file).get("tool", {}).get("actionbox", {})
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise invalid(manifest, f"cannot be read as TOML: {error}", "invalid_pyproject") from None
    if not isinstance(table, dict):
        raise _wrong(manifest, "tool.actionbox must be a table")
    unknown = sorted(set(table) - {"allow", "dependencies", "modules"})
    if unknown:
        known = "allow, dependencies and modules"
        raise _wrong(manifest, f"tool.actionbox has no setting {unknown[0]!r}; it has {known}")
    return table


def _prepare(path: Path, source: Source, declared: Mapping[str, Any], say: Callable[[str], None]) -> Source:
    from sandbox.packages.wheels import PythonModule, WheelLock, prepare

    manifest = path.with_name(MANIFEST)
    tops = imported_names(source.text)
    foreign = tops - sys.stdlib_module_names - _OURS
    requirements = _requirements(declared.get("dependencies"), "dependencies", manifest) if foreign else []
    locks = LockFile(path.parent, "wheels")

    def known(key: str) -> WheelLock | None:
        text = locks.get(key)
        return None if text is None else WheelLock.from_json(text)

    modules = [
        PythonModule(name, file, text, tuple(wanted), known(_SCOPE + name))
        for name, file, text, wanted in _modules(manifest, declared.get("modules"))
        if "actions" in tops and re.search(rf"\b{re.escape(name.replace('-', '_'))}\b", source.text)
    ]
    folder = os.environ.get(WHEELS)
    made = prepare(
        source,
        requirements,
        folder=Path(folder) if folder else None,
        modules=modules,
        lock=known(path.name),
    )
    found = {path.name: made.lock, **{_SCOPE + name: lock for name, lock in made.module_locks.items()}}
    locks.put({key: lock.to_json() for key, lock in found.items() if lock.wheels}, say)
    return made.source


def imported_names(text: str) -> frozenset[str]:
    """First parts of the modules that a source seems to import. It is not parsed here (threat-model U1): a
    name too many costs a look into the folder of wheels."""
    found: set[str] = set()
    for match in _IMPORT.finditer(text):
        names = [match[1]] if match[1] else match[2].split(",")
        found.update(name.strip().partition(".")[0].partition(" ")[0] for name in names)
    return frozenset(found)


def _modules(manifest: Path, listed: Any) -> list[tuple[str, str, str, list[str]]]:
    """Name, file name, text and requirements of every declared module."""
    if listed is None:
        return []
    if not isinstance(listed, dict):
        raise _wrong(manifest, "tool.actionbox.modules must be a table")
    found = []
    for name, item in sorted(listed.items()):
        item = {"file": item} if isinstance(item, str) else item
        file = item.get("file") if isinstance(item, dict) else None
        if not isinstance(file, str) or not file:
            raise _wrong(manifest, f"module {name!r} has no `file`")
        what = f"dependencies of module {name!r}"
        wanted = _requirements(item.get("dependencies"), what, manifest)
        found.append((name, Path(file).name, _text(manifest, name, file), wanted))
    return found


def _text(manifest: Path, name: str, file: str) -> str:
    try:
        with (manifest.parent / file).open(encoding="utf-8-sig") as stream:
            text = stream.read(MAX_SOURCE_BYTES + 1)
            check_size(manifest.parent / file, len(text.encode("utf-8", "replace")))
            return text
    except (OSError, ValueError) as error:
        raise ActionError(
            "dependency",
            f"the file {file} of module {name!r} cannot be read: {error}",
            next_step=f"Correct its path in {MANIFEST}.",
            source=str(manifest),
        ) from None


def _requirements(value: Any, what: str, manifest: Path) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(manifest, f"its {what} must be a list of texts like 'idna==3.10'")
    return value


def _wrong(manifest: Path, problem: str) -> ActionError:
    return invalid(manifest, problem, "invalid_pyproject")
