"""Obstacles to a push, found before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ValidationError

import sandbox
from runner.flow.handlers import exported, handlers_among, missing_handler
from runner.http.validation import first_problem
from runner.management.base.schemas import CreateAction, CreateModule, UpdateAction, UpdateModule
from runner.model.action import Action
from runner.model.errors import InputError
from runner.tenant.plan import Change, Step
from runner.tenant.project import LATEST, Project, Unit
from runner.tenant.remote import Remote
from sandbox.core.failure import BuildError, Failure
from sandbox.core.program import Source
from triggers import get_trigger

_BODIES: dict[tuple[str, Step], type[BaseModel]] = {
    ("action", Step.CREATE): CreateAction,
    ("action", Step.UPDATE): UpdateAction,
    ("module", Step.CREATE): CreateModule,
    ("module", Step.UPDATE): UpdateModule,
}


def refuse_hurdles(project: Project, remote: Remote, changes: Sequence[Change], *, prune: bool) -> None:
    """Look at what the changes need of each other and of the service.

    Raises:
        InputError: `push_would_fail`, with every hurdle on a line of its own.
    """
    published = {change.name for change in changes if change.kind == "module"}
    _refuse(
        [
            *_bodies(changes),
            *_modules(project, remote, published, prune=prune),
            *_bindings(project, remote, prune=prune),
        ]
    )


def refuse_sources(project: Project, changes: Sequence[Change]) -> None:
    """Build the sources that would be sent, as the service will.

    Raises:
        InputError: `push_would_fail`: one does not build, or exports no handler of its trigger.
    """
    sent = [change for change in changes if "code" in change.body]
    _refuse(
        [
            problem
            for change in sent
            for problem in _source(
                (project.modules if change.kind == "module" else project.actions)[change.name], change.kind
            )
        ]
    )


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise InputError("push_would_fail", "\n".join(found), next_step="Nothing was sent.")


def _bodies(changes: Sequence[Change]) -> Iterator[str]:
    """Bodies that the service's own schemas refuse."""
    for change in changes:
        schema = _BODIES.get((change.kind, change.step))
        if schema is None:
            continue
        body = {name: value for name, value in change.body.items() if name != "modules"}
        try:
            schema.model_validate(body)
        except ValidationError as error:
            errors = [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
            text, _ = first_problem(errors)
            yield f"{change.kind} {change.name}: {text.removeprefix('Payload validation error: ')}"


def _modules(project: Project, remote: Remote, published: set[str], *, prune: bool) -> Iterator[str]:
    there = set(project.modules) | (set() if prune else set(remote.modules))
    for unit in project.actions.values():
        for name, number in unit.modules.items():
            if name not in there:
                yield (
                    f"action {unit.name}: there is no module {name!r}, here or on the service; add it under "
                    "`modules`, or correct the name"
                )
                continue
            newest = remote.modules[name].latest if name in remote.modules else 0
            newest += name in published
            if isinstance(number, int) and number > newest:
                yield (
                    f"action {unit.name}: module {name} will have no version {number}, only up to {newest}; "
                    f"`{name}: {LATEST}` takes the newest"
                )


def _bindings(project: Project, remote: Remote, *, prune: bool) -> Iterator[str]:
    for trigger, names in project.bindings.items():
        for name in names:
            unit = project.actions.get(name)
            there = remote.actions.get(name) if unit is not None or not prune else None
            if unit is None and there is not None and there.trigger != trigger:
                yield f"bindings.{trigger}: {name} is an Action for {there.trigger}"
            elif (unit is None or not unit.deploy) and (there is None or not there.deployed):
                yield (
                    f"bindings.{trigger}: {name} is not deployed, and only what is deployed can be bound; "
                    "remove `deploy: false`, or the binding"
                )


def _source(unit: Unit, kind: str) -> Iterator[str]:
    source = Source(unit.language, unit.file, unit.code)
    try:
        program = sandbox.build(source)
        alone = kind == "action" and not unit.dependencies and not unit.modules
        names = exported(program) if alone else None
    except BuildError as error:
        yield f"{kind} {unit.name} does not build: {_told(error.failure)}"
        return
    if names is None:
        return  # its top level needs packages or modules, which the service has
    trigger = get_trigger(unit.trigger)
    if trigger.execute_handler not in handlers_among(names, unit.language):
        yield f"action {unit.name}: {missing_handler(Action(unit.name, source), names, trigger)}"


def _told(failure: Failure) -> str:
    place = failure.place
    where = "" if place is None else f" ({place.file}:{place.line})"
    return f"{failure.message}{where}"
