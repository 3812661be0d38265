"""From the dependencies and modules that an Action declares to a program: resolve, lock, bundle, build.

build = build_action(source, wanted=[Wanted("axios", "^1")], origin=lambda: FolderOrigin(folder))
build.state, build.log, build.program, build.lock
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import sandbox
from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Dependencies, Language, Program, SharedModule, Source
from sandbox.javascript.building.bundle import Scope, bundle, scope_of
from sandbox.packages import wheels as python
from sandbox.packages.errors import DependencyError
from sandbox.packages.npm.install import Wanted, check_wanted_list, make_lock
from sandbox.packages.npm.lock import Lock
from sandbox.packages.npm.origin import Origin
from sandbox.packages.npm.store import TarballStore
from sandbox.packages.npm.unsupported import refuse, warning
from sandbox.packages.wheels.lock import WheelLock

__all__ = [
    "Build",
    "BuildState",
    "DependencyError",
    "Lock",
    "LogLine",
    "Module",
    "Prepared",
    "Wanted",
    "build_action",
    "failure_of",
    "prepare",
]

Say = Callable[[str], None]
_SCOPE: Final = "actions:"


@dataclass(frozen=True, slots=True)
class Module:
    """A version of an Actions Module that an Action uses, with its own dependencies.

    Attributes:
        name: what follows `actions:` in `require`.
        lock: of its dependencies, when they were resolved before.
    """

    name: str
    filename: str
    text: str
    wanted: tuple[Wanted, ...] = ()
    lock: Lock | WheelLock | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A source with everything that it may require.

    Attributes:
        lock: of the Action's own dependencies; keep it with the version.
        module_locks: by name of the module.
    """

    source: Source
    lock: Lock | WheelLock
    module_locks: Mapping[str, Lock | WheelLock]


class BuildState(StrEnum):
    """State of a build, as the Management API spells it."""

    PENDING = "pending"
    BUILDING = "building"
    PACKAGED = "packaged"
    """Dependencies are locked and bundled; the program is being made."""
    BUILT = "built"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LogLine:
    """`at`: seconds since the build began."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Build:
    """A build as it stands. Immutable: every step makes another one.

    Attributes:
        log: what happened, in order, for people.
        lock, module_locks: once the state is `packaged`.
        program: once the state is `built`.
        failure: when the state is `failed`.
    """

    state: BuildState = BuildState.PENDING
    log: tuple[LogLine, ...] = ()
    lock: Lock | WheelLock = field(default_factory=Lock)
    module_locks: Mapping[str, Lock | WheelLock] = field(default_factory=dict)
    program: Program | None = None
    failure: Failure | None = None


def prepare(
    source: Source,
    wanted: Sequence[Wanted],
    *,
    origin: Callable[[], Origin],
    modules: Sequence[Module] = (),
    lock: Lock | WheelLock | None = None,
    store: TarballStore | None = None,
    wheels: Path | None = None,
    say: Say = lambda _: None,
) -> Prepared:
    """`source` with its packages and shared modules. Without any, the source stays as it is.

    Args:
        wanted: what the Action declares.
        origin: makes the origin of packages; called at most once, and not at all when everything is locked
            and in the caches.
        lock: of an earlier build; used as far as it is of the same `wanted`.
        wheels: folder of the packages of Python Actions; None for none.
        say: told about the progress.

    Raises:
        DependencyError: see there.
    """
    if source.language is Language.PYTHON:
        return _prepare_python(source, wanted, modules, lock, wheels)
    with closing(_Once(origin)) as once:
        return _Preparation(once, store or TarballStore(), say).prepare(source, wanted, modules, lock)


def _prepare_python(
    source: Source,
    wanted: Sequence[Wanted],
    modules: Sequence[Module],
    lock: Lock | WheelLock | None,
    folder: Path | None,
) -> Prepared:
    """A Python source with its shared modules and packages, all of them from wheels in `folder`."""

    def requirements(items: Sequence[Wanted]) -> tuple[str, ...]:
        return tuple(python.pinned(item.name, item.version, folder) for item in items)

    def known(found: Lock | WheelLock | None) -> WheelLock | None:
        return found if isinstance(found, WheelLock) else None

    shared = [
        python.PythonModule(item.name, item.filename, item.text, requirements(item.wanted), known(item.lock))
        for item in modules
    ]
    made = python.prepare(source, requirements(wanted), folder=folder, modules=shared, lock=known(lock))
    return Prepared(made.source, made.lock, dict(made.module_locks))


def build_action(
    source: Source,
    wanted: Sequence[Wanted] = (),
    *,
    origin: Callable[[], Origin],
    modules: Sequence[Module] = (),
    lock: Lock | WheelLock | None = None,
    compile_source: Callable[[Source, Limits], Program] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    store: TarballStore | None = None,
    wheels: Path | None = None,
    report: Callable[[Build], None] = lambda _: None,
) -> Build:
    """Build a version of an Action. Never raises for what is wrong with it; `report` gets every state.

    Args:
        compile_source: makes the program; the sandbox's own by default.
    """
    work = _Work(report)
    try:
        work.move(state=BuildState.BUILDING)
        prepared = prepare(
            source,
            wanted,
            origin=origin,
            modules=modules,
            lock=lock,
            store=store,
            wheels=wheels,
            say=work.say,
        )
        work.move(state=BuildState.PACKAGED, lock=prepared.lock, module_locks=prepared.module_locks)
        work.say("building the program")
        program = (compile_source or functools.partial(sandbox.build, load=True))(prepared.source, limits)
        for note in program.notes:
            work.say(note)
        work.move(state=BuildState.BUILT, program=program)
    except DependencyError as error:
        work.fail(failure_of(error))
    except BuildError as error:
        work.fail(error.failure)
    return work.build


def failure_of(error: DependencyError) -> Failure:
    """The typed failure that stands for `error`."""
    detail: dict[str, str | int | float | bool | None] = {"rule": error.rule}
    if error.package is not None:
        detail["package"] = error.package
    return Failure(FailureCode.DEPENDENCY, error.message, next_step=error.next_step, detail=detail)


class _Once:
    """The origin, made when it is first needed."""

    def __init__(self, make: Callable[[], Origin]) -> None:
        self._make = make
        self._made: Origin | None = None

    def __call__(self) -> Origin:
        if self._made is None:
            self._made = self._make()
        return self._made

    def close(self) -> None:
        if self._made is not None:
            self._made.close()


class _Preparation:
    def __init__(self, origin: _Once, store: TarballStore, say: Say) -> None:
        self._origin = origin
        self._store = store
        self._say = say

    def prepare(
        self,
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | WheelLock | None,
    ) -> Prepared:
        if not wanted and not modules:
            return Prepared(source, Lock(), {})
        own = self._lock(wanted, lock)
        scopes = [scope_of("", own, source.text, source.filename)]
        locks: dict[str, Lock] = {}
        for module in sorted(modules, key=lambda item: item.name):
            locks[module.name] = self._lock(module.wanted, module.lock)
            scope = scope_of(_SCOPE + module.name, locks[module.name], module.text, module.filename)
            scopes.append(scope)
        shared = tuple(
            SharedModule(item.name, item.filename, item.text)
            for item in sorted(modules, key=lambda item: item.name)
        )
        packed = bundle(scopes, self._origin, self._store, self._say)
        dependencies = Dependencies.of(packed, _entries(scopes), shared)
        return Prepared(replace(source, dependencies=dependencies), own, locks)

    def _lock(self, wanted: Sequence[Wanted], lock: Lock | WheelLock | None) -> Lock:
        checked = check_wanted_list(tuple(wanted))
        for name in checked:
            refuse(name)
            if (said := warning(name)) is not None:
                self._say(said)
        if isinstance(lock, Lock) and dict(lock.wanted) == checked:
            return lock
        if not checked:
            return Lock()
        self._say(f"resolving {', '.join(f'{name} {version}' for name, version in checked.items())}")
        made = make_lock(checked, self._origin(), self._store, self._say)
        found = ", ".join(f"{name}@{version}" for name, version in made.versions.items())
        self._say(f"resolved {found}; {len(made.packages)} packages in all")
        return made


def _entries(scopes: Sequence[Scope]) -> tuple[tuple[str, str], ...]:
    return tuple((scope.name, specifier) for scope in scopes for specifier in scope.specifiers)


class _Work:
    """A build while it goes on."""

    def __init__(self, report: Callable[[Build], None]) -> None:
        self._report = report
        self._began = time.monotonic()
        self.build = Build()
        report(self.build)

    def say(self, text: str) -> None:
        line = LogLine(round(time.monotonic() - self._began, 3), text)
        self.build = replace(self.build, log=(*self.build.log, line))
        self._report(self.build)

    def move(
        self,
        *,
        state: BuildState,
        lock: Lock | WheelLock | None = None,
        module_locks: Mapping[str, Lock | WheelLock] | None = None,
        program: Program | None = None,
    ) -> None:
        self.build = replace(
            self.build,
            state=state,
            lock=lock or self.build.lock,
            module_locks=module_locks or self.build.module_locks,
            program=program,
        )
        self._report(self.build)

    def fail(self, failure: Failure) -> None:
        self.say(failure.message)
        self.build = replace(self.build, state=BuildState.FAILED, failure=failure)
        self._report(self.build)
