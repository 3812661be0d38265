"""From what a folder says and what the service has to the changes that make them the same."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal

from runner.model.errors import InputError
from runner.tenant.project import LATEST, Project, Unit
from runner.tenant.remote import Remote, RemoteUnit

Kind = Literal["action", "module", "binding"]


class Step(StrEnum):
    """The change of one thing."""

    CREATE = "create"
    UPDATE = "update"
    DEPLOY = "deploy"
    """The draft is right already; only its deployment (or publication) is missing."""
    BIND = "bind"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        name: of the Action, module or trigger.
        body: what is sent: the new object, the changed members, or the bindings.
        lines: for people; lines of a unified diff begin with `+`, `-`, `@` or a space.
        deploy: deploy (or publish) afterwards.
        remote: what is there now.
    """

    kind: Kind
    step: Step
    name: str
    body: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    deploy: bool = True
    remote: RemoteUnit | None = None


Values = Mapping[str, Mapping[str, str]]
"""Values of secrets by name, by Action, and by `actions:NAME` for modules."""

SHARED: Final = ""
"""The key under which `Values` hold secrets for everything that names them."""


def make_plan(project: Project, remote: Remote, values: Values, *, prune: bool) -> tuple[Change, ...]:
    """The changes in the order in which they have to be made: modules, Actions, bindings, deletions.

    Args:
        prune: delete what the service has and the folder does not name.

    Raises:
        InputError: `missing_secret`: a new secret has no value; `unknown_action`: a binding names none.
    """
    changes: list[Change] = []
    for name, unit in project.modules.items():
        changes += _unit_changes("module", unit, remote.modules.get(name), _of(values, f"actions:{name}"))
    published = {change.name for change in changes if change.deploy}
    for name, unit in project.actions.items():
        known_modules = replace(unit, modules=_numbers(unit.modules, remote, published))
        changes += _unit_changes("action", known_modules, remote.actions.get(name), _of(values, name))
    known = set(project.actions) | (set() if prune else set(remote.actions))
    for trigger, names in project.bindings.items():
        changes += _binding_changes(trigger, names, remote.bindings.get(trigger, ()), known)
    if prune:
        changes += _deletions("action", remote.actions, project.actions)
        changes += _deletions("module", remote.modules, project.modules)
    return tuple(changes)


def _numbers(modules: Mapping[str, int | str], remote: Remote, published: set[str]) -> dict[str, int | str]:
    """`latest` as a number, unless only this push makes that version."""
    return {
        name: remote.modules[name].latest
        if number == LATEST and name in remote.modules and name not in published
        else number
        for name, number in modules.items()
    }


def _of(values: Values, owner: str) -> dict[str, str]:
    return {**values.get(SHARED, {}), **values.get(owner, {})}


def _unit_changes(
    kind: Kind, unit: Unit, remote: RemoteUnit | None, values: Mapping[str, str]
) -> list[Change]:
    given = {name: values[name] for name in unit.secrets if name in values}
    missing = [
        name for name in unit.secrets if name not in given and (not remote or name not in remote.secrets)
    ]
    if missing:
        raise InputError(
            "missing_secret",
            f"{kind} {unit.name}: the secret {missing[0]} has no value, here or on the service",
            next_step=f"Give it with --secret {missing[0]}=VALUE, or in a file with --secrets.",
        )
    wanted = _members(unit, given, is_action=kind == "action")
    if remote is None:
        lines = (*_header(unit), *_diff("", unit.code))
        return [Change(kind, Step.CREATE, unit.name, {"name": unit.name, **wanted}, lines, unit.deploy)]
    body, lines_of = _differences(unit, remote, wanted, given)
    if body:
        return [Change(kind, Step.UPDATE, unit.name, body, tuple(lines_of), unit.deploy, remote)]
    if unit.deploy and not remote.current:
        return [Change(kind, Step.DEPLOY, unit.name, {}, (), True, remote)]
    return []


def _members(unit: Unit, given: Mapping[str, str], *, is_action: bool) -> dict[str, Any]:
    """The request members; a secret whose value is not given keeps the one that the service has."""
    members: dict[str, Any] = {
        "code": unit.code,
        "dependencies": [{"name": name, "version": version} for name, version in unit.dependencies.items()],
        "secrets": [
            {"name": name, "value": given[name]} if name in given else {"name": name} for name in unit.secrets
        ],
    }
    if is_action:
        members["supported_triggers"] = [{"id": unit.trigger}]
        members["runtime"] = unit.runtime
        members["modules"] = [
            {"module_name": name, "module_version_number": number} for name, number in unit.modules.items()
        ]
    return members


def _differences(
    unit: Unit, remote: RemoteUnit, wanted: Mapping[str, Any], given: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    body: dict[str, Any] = {}
    lines: list[str] = []

    def changed(member: str, line: str) -> None:
        body[member] = wanted[member]
        lines.append(line)

    if unit.trigger != remote.trigger:
        changed("supported_triggers", f"trigger: {remote.trigger} -> {unit.trigger}")
    if unit.runtime and unit.runtime != remote.runtime:
        changed("runtime", f"runtime: {remote.runtime} -> {unit.runtime}")
    if dict(unit.dependencies) != dict(remote.dependencies):
        changed("dependencies", f"dependencies: {_pairs(remote.dependencies)} -> {_pairs(unit.dependencies)}")
    if dict(unit.modules) != dict(remote.modules):
        changed("modules", f"modules: {_pairs(remote.modules)} -> {_pairs(unit.modules)}")
    if given or set(unit.secrets) != set(remote.secrets):
        changed("secrets", f"secrets: {_secrets_line(unit, remote, given)}")
    if unit.code != remote.code:
        body["code"] = wanted["code"]
        lines += _diff(remote.code, unit.code)
    return body, lines


def _secrets_line(unit: Unit, remote: RemoteUnit, given: Mapping[str, str]) -> str:
    parts = [
        f"{name} set" + (" (nothing changes if it has this value)" if name in remote.secrets else "")
        for name in unit.secrets
        if name in given
    ]
    parts += [f"{name} kept" for name in unit.secrets if name not in given]
    parts += [f"{name} removed" for name in remote.secrets if name not in unit.secrets]
    return ", ".join(parts)


def _binding_changes(
    trigger: str, names: tuple[str, ...], bound: tuple[str, ...], known: set[str]
) -> list[Change]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise InputError(
                "unknown_action",
                f"bindings.{trigger} names {name!r}, but there is no such Action here or on the service",
                next_step=f"Did you mean {near[0]!r}?" if near else "Add it under `actions`.",
            )
    if names == bound:
        return []
    body = {
        "bindings": [{"ref": {"type": "action_name", "value": name}, "display_name": name} for name in names]
    }
    line = f"{' -> '.join(bound) or '(nothing)'}  becomes  {' -> '.join(names) or '(nothing)'}"
    return [Change("binding", Step.BIND, trigger, body, (line,), deploy=False)]


def _deletions(kind: Kind, remote: Mapping[str, RemoteUnit], wanted: Mapping[str, Unit]) -> list[Change]:
    return [
        Change(kind, Step.DELETE, name, {}, (), deploy=False, remote=unit)
        for name, unit in remote.items()
        if name not in wanted
    ]


def _header(unit: Unit) -> list[str]:
    lines = [f"trigger: {unit.trigger}", f"runtime: {unit.runtime}"] if unit.trigger else []
    if unit.dependencies:
        lines.append(f"dependencies: {_pairs(unit.dependencies)}")
    if unit.modules:
        lines.append(f"modules: {_pairs(unit.modules)}")
    if unit.secrets:
        lines.append(f"secrets: {', '.join(unit.secrets)}")
    return lines


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "none"


def _diff(old: str, new: str) -> list[str]:
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    return [line for line in found if not line.startswith(("---", "+++"))]
