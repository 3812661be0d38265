"""Bringing a folder to the service, again at every change: the mechanism of `actionbox push`, one thing at a
time, so that one file with a mistake keeps nobody from trying the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from runner.client.http import Api
from runner.dev.discovery import Discovery, Found, Trouble
from runner.dev.folder import File, Folder
from runner.model.errors import RunnerError
from runner.tenant.apply import Applier
from runner.tenant.plan import SHARED, Change, Step, Values, make_plan
from runner.tenant.project import MANIFEST, Project, Unit
from runner.tenant.remote import Remote, RemoteUnit, fetch
from triggers import get_trigger

_Any = TypeVar("_Any")
_POLL_SECONDS: Final = 0.05
"""Between looks at a build: the service is our own."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An Action of the folder on the service. `compiled`: its file is TypeScript, which the console shows as
    JavaScript and cannot write."""

    id: str
    name: str
    trigger: str
    file: str
    compiled: bool = False
    deployed: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the folder after a push. `generation`: one more each time that a file has changed, of
    whatever kind."""

    generation: int = 0
    actions: tuple[Pushed, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    manifest: bool = False


class Sync:
    """Keeps the service as the folder is.

    Attributes:
        lock: held by whoever changes the folder or what of it is on the service.
        status: after the last push.
    """

    def __init__(self, folder: Folder, api: Api, values: Values) -> None:
        """`values`: of secrets, as `make_plan` takes them."""
        self.folder = folder
        self.lock = threading.Lock()
        self.status = Status()
        self._api = api
        self._values = values
        self._discovery = Discovery(folder)
        self._files: dict[str, str] = {}
        """File of each Action, by name."""
        self._units: dict[str, Unit] = {}
        self._tags: dict[str, str] = {}
        """Of the files as they were pushed."""
        self._wanted: dict[str, tuple[str, ...]] = {}
        """Bindings as the folder wanted them last. What was changed in the console since then stays."""

    def push(self) -> Status:
        """Bring what has changed."""
        with self.lock:
            return self.push_held()

    def push_held(self) -> Status:
        """As `push`, for those who hold `lock`."""
        found = self._discovery.look()
        troubles = list(found.troubles)
        try:
            remote = self._push(found, troubles)
            actions = self._pushed(found, remote)
        except RunnerError as error:
            troubles.append(Trouble("", error.message, error.next_step))
            actions = self.status.actions
        self._tags, self._units = dict(found.tags), dict(found.project.actions)
        self.status = Status(self.status.generation + 1, actions, tuple(troubles), found.manifest)
        return self.status

    def action(self, action_id: str) -> Pushed | None:
        """The Action of the folder that has this id on the service."""
        return next((item for item in self.status.actions if item.id == action_id), None)

    def tag(self, file: str) -> str | None:
        """Of the file as it was pushed last."""
        return self._tags.get(file)

    def unit(self, name: str) -> Unit | None:
        """The Action as the folder had it last."""
        return self._units.get(name)

    def note(self, file: File) -> None:
        """The file was written with what the service has."""
        self._tags[file.name] = file.tag

    def adopt(self, name: str, file: str) -> None:
        """From now on the Action that is called so is the one in this file."""
        self._files[name] = file

    def _push(self, found: Found, troubles: list[Trouble]) -> Remote:
        wanted = {trigger: names for trigger, names in found.project.bindings.items() if _is_bound(trigger)}
        triggers = {*wanted, *self._wanted}
        remote = fetch(self._api, triggers)
        if self._remove(found, remote, troubles):
            remote = fetch(self._api, triggers)
        units = {
            name: self._with_secrets(unit, name, remote.actions.get(name), named=found.manifest)
            for name, unit in sorted(found.project.actions.items())
        }
        modules = {
            name: self._with_secrets(unit, f"actions:{name}", remote.modules.get(name), named=found.manifest)
            for name, unit in found.project.modules.items()
        }
        values = {
            **self._new_values(units, remote.actions),
            **self._new_values(_scoped(modules), _scoped(remote.modules)),
        }
        changes = make_plan(Project(units, modules, {}), remote, values, prune=False)
        self._make(changes, remote, {**modules, **units}, troubles)
        self._files |= {name: unit.file for name, unit in units.items()}
        if changes:
            remote = fetch(self._api, triggers)
        bindings = self._bindings(wanted, remote, keep=not found.manifest)
        made = self._make(make_plan(Project({}, {}, bindings), remote, {}, prune=False), remote, {}, troubles)
        return fetch(self._api, triggers) if made else remote

    def _remove(self, found: Found, remote: Remote, troubles: list[Trouble]) -> bool:
        """Delete what has no file any more, and Actions whose file is for another trigger now."""
        gone = []
        for name, there in remote.actions.items():
            unit = found.project.actions.get(name)
            file = self._files.get(name)
            if unit is not None and unit.trigger != there.trigger:
                gone.append(there)
            elif unit is None and file is not None and self._is_gone(file, found, troubles):
                gone.append(there)
                del self._files[name]
        changes = [Change("action", Step.DELETE, unit.name, {}, deploy=False, remote=unit) for unit in gone]
        return bool(self._make(changes, remote, {}, troubles))

    def _is_gone(self, file: str, found: Found, troubles: list[Trouble]) -> bool:
        """Whether nothing is left of an Action; a file in trouble is none that is gone."""
        files = {trouble.file for trouble in troubles}
        if file in files or MANIFEST in files:
            return False
        if self.folder.tag(file) is None or found.manifest:
            return True
        troubles.append(Trouble(file, "it exports no handler of any trigger any more"))
        return False

    def _with_secrets(self, unit: Unit, owner: str, there: RemoteUnit | None, *, named: bool) -> Unit:
        """`unit` with the secrets that the service has of it, and without those that nobody gave. `named`: it
        has those alone that it names, and not all that were given."""
        kept = there.secrets if there is not None else ()
        given = self._given(owner)
        names = {*(unit.secrets if named else given), *kept}
        return replace(unit, secrets=tuple(sorted(name for name in names if name in given or name in kept)))

    def _new_values(self, units: Mapping[str, Unit], there: Mapping[str, RemoteUnit]) -> Values:
        """Values of secrets that the service does not have: one that was changed in the console stays.

        Args:
            units: by owner of the secrets.
            there: what the service has, by the same names.
        """
        found = {}
        for owner in units:
            kept = there[owner].secrets if owner in there else ()
            found[owner] = {name: value for name, value in self._given(owner).items() if name not in kept}
        return found

    def _given(self, owner: str) -> dict[str, str]:
        """The values that were given for an owner of secrets."""
        return {**self._values.get(SHARED, {}), **self._values.get(owner, {})}

    def _make(
        self,
        changes: Sequence[Change],
        remote: Remote,
        units: Mapping[str, Unit],
        troubles: list[Trouble],
    ) -> int:
        applier = Applier(
            self._api,
            sleep=lambda _: time.sleep(_POLL_SECONDS),
            modules={name: unit.id for name, unit in remote.modules.items()},
        )
        made = 0
        for change in changes:
            unit = units.get(change.name)
            file = MANIFEST if unit is None else unit.file
            try:
                made += applier.make(change)
            except RunnerError as error:
                if not any(trouble.file == file for trouble in troubles):
                    troubles.append(Trouble(file, error.message, error.next_step))
        return made

    def _bindings(
        self, wanted: Mapping[str, tuple[str, ...]], remote: Remote, *, keep: bool
    ) -> dict[str, tuple[str, ...]]:
        """What to bind where. Only what is deployed can be.

        Args:
            keep: the folder has no order of its own, so what is bound keeps its places.
        """
        changed: dict[str, tuple[str, ...]] = {}
        for trigger in sorted({*wanted, *self._wanted}):
            names = tuple(
                name
                for name in wanted.get(trigger, ())
                if (there := remote.actions.get(name)) is not None
                and there.deployed
                and there.trigger == trigger
            )
            before = self._wanted.get(trigger, ())
            if names == before:
                continue
            self._wanted[trigger] = names
            bound = remote.bindings.get(trigger, ())
            stay = [name for name in bound if name in names] if keep else []
            new = [name for name in names if name not in stay and (not keep or name not in before)]
            changed[trigger] = (*stay, *new)
        return changed

    def _pushed(self, found: Found, remote: Remote) -> tuple[Pushed, ...]:
        return tuple(
            Pushed(unit.id, name, unit.trigger, self._files[name], name in found.compiled, unit.deployed)
            for name, unit in sorted(remote.actions.items())
            if name in self._files
        )


def _scoped(modules: Mapping[str, _Any]) -> dict[str, _Any]:
    """Modules by the names under which their secrets go."""
    return {f"actions:{name}": module for name, module in modules.items()}


def _is_bound(trigger: str) -> bool:
    """Whether Actions of the trigger are bound to it; those of others are named by an entity."""
    return get_trigger(trigger).binding_policy != "entity-bound"
