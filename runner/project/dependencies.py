"""npm packages and shared modules of JavaScript Actions in files: declared in a `package.json` beside them.

    {
      "dependencies": { "axios": "^1.7.0" },
      "actionbox": { "modules": { "greeter": { "file": "greeter.js", "dependencies": {} } } }
    }

An Action gets those declared packages and modules that its text requires; one that requires none needs no
registry. What was resolved is written to `actionbox.lock.json` beside it: keep it under version control.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runner.model.errors import ActionError
from runner.model.source_size import check_size
from runner.project.lockfile import LockFile, invalid, read_json
from runner.project.pyproject import WHEELS, with_wheels
from sandbox.core.caps import MAX_SOURCE_BYTES
from sandbox.core.program import Language, Source

MANIFEST: Final = "package.json"
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
    """`source`, the Action in the file `path`, with what the `package.json` (Python: `pyproject.toml`) beside
    it declares.

    Raises:
        ActionError: `dependency`: something declared cannot be had; `invalid_package_json`,
            `invalid_pyproject`.
    """
    if source.language is Language.PYTHON:
        return with_wheels(path, source, lambda text: _progress(text))
    # Imported when used: most Actions have no dependencies.
    from sandbox.packages.errors import DependencyError

    try:
        found = declared(path, source.text)
        return _prepare(path, source, found) if found.packages or found.modules else source
    except DependencyError as error:
        raise ActionError("dependency", error.message, next_step=error.next_step, source=str(path)) from error


@dataclass(frozen=True, slots=True)
class Declared:
    """What a manifest declares and a source requires.

    Attributes:
        packages: versions by name.
        modules: shared modules, in order of name.
    """

    packages: Mapping[str, str]
    modules: tuple[DeclaredModule, ...]


@dataclass(frozen=True, slots=True)
class DeclaredModule:
    """A shared module. `file`: without its folder; `packages`: versions by name."""

    name: str
    file: str
    text: str
    packages: Mapping[str, str]


def declared(path: Path, text: str) -> Declared:
    """What the `package.json` beside the JavaScript file `path`, whose text this is, declares of what that
    requires. Raises `ActionError` (`dependency`, `invalid_package_json`)."""
    manifest = path.with_name(MANIFEST)
    loads = "require" in text or "import" in text
    if not loads or not manifest.is_file():
        return Declared({}, ())
    # Imported when used: most Actions have no dependencies.
    from sandbox.javascript.building.bundle import required_names

    content = read_json(manifest)
    required = required_names(text, path.name)
    packages = _strings(content.get("dependencies"), "dependencies", path)
    own = content.get("actionbox")
    listed = own.get("modules") if isinstance(own, dict) else None
    return Declared(
        {name: version for name, version in sorted(packages.items()) if name in required},
        tuple(
            DeclaredModule(name, *_module(path, name, item))
            for name, item in sorted((listed if isinstance(listed, dict) else {}).items())
            if _SCOPE + name in required
        ),
    )


def _prepare(path: Path, source: Source, found: Declared) -> Source:
    from sandbox.action_build import Lock, Module, Wanted, prepare

    wanted = [Wanted(*pair) for pair in found.packages.items()]
    locks = LockFile(path.parent, "locks")

    def known(key: str) -> Lock | None:
        text = locks.get(key)
        return None if text is None else Lock.from_json(text)

    modules = []
    for item in found.modules:
        items = tuple(Wanted(*pair) for pair in sorted(item.packages.items()))
        modules.append(Module(item.name, item.file, item.text, items, known(_SCOPE + item.name)))
    made = prepare(source, wanted, origin=make_origin, modules=modules, lock=known(path.name), say=_progress)
    fixed = {path.name: made.lock, **{_SCOPE + name: lock for name, lock in made.module_locks.items()}}
    locks.put({key: lock.to_json() for key, lock in fixed.items() if lock.wanted}, _progress)
    return made.source


def make_origin() -> Any:
    """The origin of packages on this machine: see `PACKAGES` and `REGISTRY`; else what npm is set to.

    Raises:
        DependencyError: the setting cannot be used.
    """
    folder = os.environ.get(PACKAGES)
    return origin_of(os.environ.get(REGISTRY), Path(folder) if folder else None)


def origin_of(registry: str | None, packages: Path | None) -> Any:
    """A folder of tarballs if `packages` names one, else `registry`, else what npm is set to.

    Raises:
        DependencyError: the setting cannot be used.
    """
    from sandbox.packages.npm.folder import FolderOrigin
    from sandbox.packages.npm.registry import RegistryOrigin

    if packages is not None:
        return FolderOrigin(packages)
    if not registry:
        from sandbox.javascript.toolchain import npm_setting

        registry = npm_setting("registry")
    return RegistryOrigin(registry)


def _module(path: Path, name: str, item: Any) -> tuple[str, str, dict[str, str]]:
    """File name, text and dependencies of a module that the `package.json` lists."""
    if isinstance(item, str):
        item = {"file": item}
    file = item.get("file") if isinstance(item, dict) else None
    if not isinstance(file, str) or not file:
        raise invalid(path.with_name(MANIFEST), f"module {name!r} has no `file`")
    try:
        with (path.parent / file).open(encoding="utf-8-sig") as stream:
            text = stream.read(MAX_SOURCE_BYTES + 1)
            check_size(path.parent / file, len(text.encode("utf-8", "replace")))
    except (OSError, ValueError) as error:
        raise ActionError(
            "dependency",
            f"the file {file} of module {name!r} cannot be read: {error}",
            next_step=f"Correct its path in {MANIFEST}.",
            source=str(path),
        ) from None
    return Path(file).name, text, _strings(item.get("dependencies"), f"dependencies of {name}", path)


def _strings(value: Any, what: str, path: Path) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid(path.with_name(MANIFEST), f"its {what} must be an object of names and versions")
    return value


def use(registry: str | None, packages: Path | None, wheels: Path | None = None) -> None:
    """Use what `--registry`, `--packages` and `--wheels` name; left out, the environment decides."""
    if wheels is not None:
        os.environ[WHEELS] = str(wheels)
    if registry is not None:
        os.environ[REGISTRY] = registry
    if packages is not None:
        os.environ[PACKAGES] = str(packages)


def module_secrets(source: Source, values: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The secrets of the modules of `source`, of `values` by `actions:NAME`."""
    modules: Sequence[Any] = source.dependencies.modules if source.dependencies is not None else ()
    return {item.name: dict(values.get(_SCOPE + item.name, {})) for item in modules}
