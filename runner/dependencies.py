"""npm packages and shared modules of Actions in files: declared in a `package.json` beside the Action.

    {
      "dependencies": { "axios": "^1.7.0" },
      "actionbox": { "modules": { "greeter": { "file": "greeter.js", "dependencies": {} } } }
    }

An Action gets those declared packages and modules that its text requires; one that requires none needs no
registry. What was resolved is written to `actionbox.lock.json` beside it: keep it under version control.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runner.errors import ActionError
from sandbox.caps import MAX_SOURCE_BYTES
from sandbox.program import Language, Source

MANIFEST: Final = "package.json"
LOCK_FILE: Final = "actionbox.lock.json"
REGISTRY: Final = "ACTIONBOX_NPM_REGISTRY"
"""Environment variable: address of the registry; npm's own setting otherwise."""
PACKAGES: Final = "ACTIONBOX_NPM_PACKAGES"
"""Environment variable: a folder of tarballs to use instead of a registry."""
_SCOPE: Final = "actions:"

_progress: Callable[[str], None] = lambda _: None  # noqa: E731


def show_progress(show: Callable[[str], None]) -> None:
    """From now on `show` is told what is going on while packages are resolved and bundled."""
    global _progress
    _progress = show


def with_dependencies(path: Path, source: Source) -> Source:
    """`source`, the Action in the file `path`, with what the `package.json` beside it declares.

    Raises:
        ActionError: `dependency`: something declared cannot be had; `invalid_package_json`.
    """
    manifest = path.with_name(MANIFEST)
    loads = "require" in source.text or "import" in source.text
    if source.language is not Language.JAVASCRIPT or not loads or not manifest.is_file():
        return source
    # Imported when used: most Actions have no dependencies.
    from sandbox.dependencies import DependencyError

    try:
        return _prepare(path, source, _read_json(manifest))
    except DependencyError as error:
        raise ActionError("dependency", error.message, next_step=error.next_step, source=str(path)) from error


def _prepare(path: Path, source: Source, manifest: Mapping[str, Any]) -> Source:
    from sandbox.dependencies import Module, Wanted, prepare
    from sandbox.javascript.bundle import required_names

    required = required_names(source.text, source.filename)
    declared = _strings(manifest.get("dependencies"), "dependencies", path)
    wanted = [Wanted(name, version) for name, version in sorted(declared.items()) if name in required]
    own = manifest.get("actionbox")
    listed = own.get("modules") if isinstance(own, dict) else None
    locks = _Locks(path.with_name(LOCK_FILE))
    modules = []
    for name, item in sorted((listed if isinstance(listed, dict) else {}).items()):
        if _SCOPE + name not in required:
            continue
        file, text, packages = _module(path, name, item)
        items = tuple(Wanted(*pair) for pair in sorted(packages.items()))
        modules.append(Module(name, file, text, items, locks.get(_SCOPE + name)))
    if not wanted and not modules:
        return source
    made = prepare(
        source, wanted, origin=make_origin, modules=modules, lock=locks.get(path.name), say=_progress
    )
    found = {path.name: made.lock, **{_SCOPE + name: lock for name, lock in made.module_locks.items()}}
    locks.put({key: lock for key, lock in found.items() if lock.wanted})
    return made.source


def make_origin() -> Any:
    """Where packages come from on this machine: see `PACKAGES` and `REGISTRY`; else what npm is set to.

    Raises:
        DependencyError: the setting cannot be used.
    """
    from sandbox.packages.folder import FolderOrigin
    from sandbox.packages.registry import RegistryOrigin

    folder = os.environ.get(PACKAGES)
    if folder:
        return FolderOrigin(Path(folder))
    url = os.environ.get(REGISTRY)
    if not url:
        from sandbox.javascript.toolchain import npm_setting

        url = npm_setting("registry")
    return RegistryOrigin(url)


class _Locks:
    """The lock file of a folder: locks by file name of the Action, or by module."""

    def __init__(self, path: Path) -> None:
        self._path = path
        data = _read_json(path) if path.is_file() else {}
        self._known: dict[str, Any] = dict(data.get("locks", {})) if isinstance(data, dict) else {}

    def get(self, key: str) -> Any:
        """The lock of `key`, None when there is none. Raises `DependencyError`."""
        from sandbox.dependencies import Lock

        found = self._known.get(key)
        return None if found is None else Lock.from_json(json.dumps(found))

    def put(self, locks: Mapping[str, Any]) -> None:
        known = self._known | {key: json.loads(lock.to_json()) for key, lock in locks.items()}
        if known == self._known:
            return
        text = json.dumps({"locks": dict(sorted(known.items()))}, indent=2) + "\n"
        try:
            self._path.write_text(text, encoding="utf-8")
        except OSError as error:
            _progress(f"{self._path.name} could not be written: {error.strerror}")


def _module(path: Path, name: str, item: Any) -> tuple[str, str, dict[str, str]]:
    """File name, text and dependencies of a module that the `package.json` lists."""
    if isinstance(item, str):
        item = {"file": item}
    file = item.get("file") if isinstance(item, dict) else None
    if not isinstance(file, str) or not file:
        raise _invalid(path, f"module {name!r} has no `file`")
    try:
        with (path.parent / file).open(encoding="utf-8-sig") as stream:
            text = stream.read(MAX_SOURCE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ActionError(
            "dependency",
            f"the file {file} of module {name!r} cannot be read: {error}",
            next_step=f"Correct its path in {MANIFEST}.",
            source=str(path),
        ) from None
    return Path(file).name, text, _strings(item.get("dependencies"), f"dependencies of {name}", path)


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid(path, f"cannot be read as JSON: {error}") from None
    if not isinstance(data, dict):
        raise _invalid(path, "must be a JSON object")
    return data


def _strings(value: Any, what: str, path: Path) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _invalid(path, f"its {what} must be an object of names and versions")
    return value


def _invalid(path: Path, problem: str) -> ActionError:
    name = path.name if path.suffix == ".json" else MANIFEST
    return ActionError(
        "invalid_package_json",
        f"{path.with_name(name)}: {problem}",
        next_step=f"Correct the file{', or delete it to resolve anew' if name == LOCK_FILE else ''}.",
        source=str(path.with_name(name)),
    )


def use(registry: str | None, packages: Path | None) -> None:
    """What `--registry` and `--packages` say; left out, the environment decides."""
    if registry is not None:
        os.environ[REGISTRY] = registry
    if packages is not None:
        os.environ[PACKAGES] = str(packages)


def module_secrets(source: Source, values: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The secrets of the modules of `source`, of `values` by `actions:NAME`."""
    modules: Sequence[Any] = source.dependencies.modules if source.dependencies is not None else ()
    return {item.name: dict(values.get(_SCOPE + item.name, {})) for item in modules}
