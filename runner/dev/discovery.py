"""What a folder holds: its Actions, modules and bindings, as `actionbox.yaml` names them or, without one, as
the handlers that its files export tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final

import sandbox
from runner.dev.folder import File, Folder
from runner.flow.handlers import exported, handlers_among, missing_handler, spelling
from runner.model.action import Action
from runner.model.errors import InputError, RunnerError
from runner.model.source_size import check_size
from runner.project.action_files import EXTENSIONS
from runner.project.dependencies import declared
from runner.project.pyproject import MANIFEST as PYPROJECT
from runner.project.pyproject import declared_tables
from runner.tenant.project import (
    LATEST,
    MANIFEST,
    RUNTIMES,
    ModuleEntry,
    Project,
    Unit,
    parse_manifest,
    unit_of,
)
from sandbox.core.failure import BuildError
from sandbox.core.program import Language, Source
from sandbox.javascript.building.transpile import transpile
from triggers import Trigger, known_triggers

_TYPESCRIPT: Final = (".ts", ".mts", ".cts")
_BODY: Final = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file does not do what it could. `line`, `column`: from 1, where there is a place."""

    file: str
    message: str
    next_step: str = ""
    line: int | None = None
    column: int | None = None

    @classmethod
    def of(cls, file: str, error: RunnerError | BuildError) -> Trouble:
        if isinstance(error, BuildError):
            place = error.failure.place
            return cls(
                file,
                error.failure.message,
                error.failure.next_step,
                None if place is None else place.line,
                None if place is None else place.column,
            )
        return cls(file, error.message, error.next_step)

    def told(self) -> dict[str, Any]:
        """As `runner.dev.schemas.Problem`, for which the file is told elsewhere."""
        more = {"next_step": self.next_step or None, "line": self.line, "column": self.column}
        return {"message": self.message, **{name: item for name, item in more.items() if item is not None}}


@dataclass(frozen=True, slots=True)
class Found:
    """The folder at one moment.

    Attributes:
        project: as `actionbox push` takes it.
        tags: of the files of its Actions and modules, by name of the file.
        compiled: names of Actions in TypeScript, which the service gets as JavaScript.
        manifest: whether an `actionbox.yaml` says what is here.
    """

    project: Project
    tags: Mapping[str, str] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    compiled: frozenset[str] = frozenset()
    manifest: bool = False


class Discovery:
    """Looks at a folder again and again, and builds only what has changed since."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[str, _Purpose]] = {}
        """By file: the tag of the text that was looked at, and what it is for."""

    def look(self) -> Found:
        """Raises nothing for what is wrong with files; `troubles` tell it."""
        looked = _Look(self._folder, self._trigger)
        names = self._folder.names()
        if MANIFEST in names:
            return looked.with_manifest()
        return looked.without_manifest([name for name in names if _suffix(name) in EXTENSIONS])

    def _trigger(self, file: File, *, alone: bool) -> _Purpose:
        """`alone`: the file runs without packages."""
        known = self._seen.get(file.name)
        if known is not None and known[0] == file.tag:
            return known[1]
        found = _trigger_of(file, alone=alone)
        self._seen[file.name] = file.tag, found
        return found


@dataclass(frozen=True, slots=True)
class _Purpose:
    """What a file is for. `trigger`: None for one that is no Action."""

    trigger: Trigger | None = None
    trouble: Trouble | None = None


class _Look:
    """One look at a folder."""

    def __init__(self, folder: Folder, trigger: Callable[..., _Purpose]) -> None:
        self._folder = folder
        self._trigger = trigger
        self._actions: dict[str, Unit] = {}
        self._modules: dict[str, Unit] = {}
        self._tags: dict[str, str] = {}
        self._troubles: list[Trouble] = []
        self._compiled: set[str] = set()

    def with_manifest(self) -> Found:
        try:
            manifest = parse_manifest(self._folder.read(MANIFEST).text, MANIFEST)
        except InputError as error:
            self._troubles.append(Trouble.of(MANIFEST, error))
            return self._found({}, manifest=True)
        for kind, entries in ((self._modules, manifest.modules), (self._actions, manifest.actions)):
            for name, entry in entries.items():
                unit = self._entry(name, entry)
                if unit is not None:
                    kind[name] = unit
        return self._found(manifest.bindings, manifest=True)

    def without_manifest(self, names: list[str]) -> Found:
        files = [file for name in names if (file := self._read(name)) is not None]
        taken = [PurePosixPath(file.name).stem for file in files]
        for file in files:
            stem = PurePosixPath(file.name).stem
            name = stem if taken.count(stem) == 1 else _BODY.sub("-", file.name).strip("-")
            self._discover(name, file)
        bindings: dict[str, list[str]] = {}
        for name, unit in self._actions.items():
            bindings.setdefault(unit.trigger, []).append(name)
        return self._found({trigger: tuple(names) for trigger, names in bindings.items()}, manifest=False)

    def _found(self, bindings: Mapping[str, tuple[str, ...]], *, manifest: bool) -> Found:
        return Found(
            Project(self._actions, self._modules, bindings),
            self._tags,
            tuple(self._troubles),
            frozenset(self._compiled),
            manifest,
        )

    def _entry(self, name: str, entry: ModuleEntry) -> Unit | None:
        """A unit that the manifest names."""
        file = self._read(entry.file)
        if file is None:
            return None
        language = EXTENSIONS.get(_suffix(file.name))
        if language is None:
            known = ", ".join(EXTENSIONS)
            self._troubles.append(Trouble(file.name, f"the file of {name} ends in none of {known}"))
            return None
        code = self._code(name, file)
        return None if code is None else unit_of(name, entry, code, language)

    def _discover(self, name: str, file: File) -> None:
        language = EXTENSIONS[_suffix(file.name)]
        try:
            parts = self._declared(file, language)
        except RunnerError as error:
            if _mentions(file.text, language):
                self._troubles.append(Trouble.of(file.name, error))
            return
        packages, modules = parts
        purpose = self._trigger(file, alone=not packages and not modules)
        if purpose.trouble is not None:
            self._troubles.append(purpose.trouble)
        code = self._code(name, file) if purpose.trigger is not None else None
        if purpose.trigger is None or code is None:
            return
        self._modules |= {module.name: module for module in modules}
        self._actions[name] = Unit(
            name=name,
            code=code,
            trigger=purpose.trigger.id,
            runtime=RUNTIMES[language],
            dependencies=packages,
            modules={module.name: LATEST for module in modules},
            file=file.name,
            language=language,
        )

    def _declared(self, file: File, language: Language) -> tuple[dict[str, str], list[Unit]]:
        """The packages and the modules that are declared beside a file and used by it."""
        path = self._folder.path(file.name)
        if language is Language.PYTHON:
            return _python_packages(declared_tables(path.with_name(PYPROJECT))), []
        found = declared(path, file.text)
        folder = PurePosixPath(file.name).parent
        return dict(found.packages), [
            Unit(
                name=module.name,
                code=module.text.replace("\r\n", "\n"),
                dependencies=module.packages,
                file=str(folder / module.file),
            )
            for module in found.modules
        ]

    def _read(self, name: str) -> File | None:
        try:
            file = self._folder.read(name)
            check_size(self._folder.path(name), len(file.text.encode("utf-8")))
        except RunnerError as error:
            self._troubles.append(Trouble.of(name, error))
            return None
        return file

    def _code(self, name: str, file: File) -> str | None:
        """What the service gets: JavaScript of TypeScript, for which it has no runtime."""
        self._tags[file.name] = file.tag
        if _suffix(file.name) not in _TYPESCRIPT:
            return file.text
        self._compiled.add(name)
        try:
            return transpile(Source(Language.JAVASCRIPT, file.name, file.text), file.text).text
        except BuildError as error:
            self._troubles.append(Trouble.of(file.name, error))
            return None


def _trigger_of(file: File, *, alone: bool) -> _Purpose:
    language = EXTENSIONS[_suffix(file.name)]
    mentioned = list(_mentions(file.text, language))
    if not mentioned:
        return _Purpose()
    if not alone:  # its top level needs what only the service's builder has
        return _one_of(file, mentioned)
    source = Source(language, PurePosixPath(file.name).name, file.text)
    try:
        names = exported(sandbox.build(source))
    except BuildError as error:
        return replace(_one_of(file, mentioned), trouble=Trouble.of(file.name, error))
    handlers = handlers_among(names, language)
    found = [trigger for trigger in known_triggers() if trigger.execute_handler in handlers]
    if found:
        return _one_of(file, found)
    return _Purpose(trouble=Trouble(file.name, missing_handler(Action("action", source), names, None)))


def _one_of(file: File, triggers: list[Trigger]) -> _Purpose:
    if len(triggers) == 1:
        return _Purpose(triggers[0])
    names = ", ".join(trigger.id for trigger in triggers)
    return _Purpose(
        trouble=Trouble(
            file.name,
            f"it has handlers of several triggers: {names}",
            f"Keep one, or say in {MANIFEST} which it is (docs/tenant-cli.md).",
        )
    )


def _mentions(text: str, language: Language) -> Iterator[Trigger]:
    """The triggers whose handler's name stands in the text."""
    for trigger in known_triggers():
        if re.search(rf"\b{re.escape(spelling(trigger.execute_handler, language))}\b", text):
            yield trigger


def _python_packages(tables: Mapping[str, object]) -> dict[str, str]:
    """Versions by name of `dependencies = ["idna==3.10"]`."""
    listed = tables.get("dependencies")
    texts = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    return {name.strip(): version.strip() for name, _, version in (text.partition("==") for text in texts)}


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
