"""A folder of Actions as its `actionbox.yaml` describes it.

actions:
  add-roles:
    file: add-roles.js
    trigger: post-login
    dependencies: { axios: 1.7.2 }
    secrets: [API_KEY]
    modules: { logger: latest }
modules:
  logger: { file: logger.js }
bindings:
  post-login: [add-roles]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runner.model.errors import InputError
from runner.project.action_files import load_source
from runner.project.jsonfile import read_text
from runner.testing.cases.yaml import parse_yaml
from sandbox.core.program import Language
from triggers import UnknownTriggerError, get_trigger

MANIFEST: Final = "actionbox.yaml"
LATEST: Final = "latest"
"""Instead of a module's version number: the newest one, once this push has published its own."""
RUNTIMES: Final = {Language.JAVASCRIPT: "node22", Language.PYTHON: "python3"}
"""The runtime of an Action that names none, by the language of its file."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModuleEntry(_Part):
    """A shared module: `secrets` are names, their values are given to `push`."""

    file: str
    dependencies: dict[str, str] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()


class ActionEntry(ModuleEntry):
    """An Action. `modules`: version numbers by name, or `latest`. `deploy`: whether `push` deploys it."""

    trigger: str
    runtime: str | None = None
    modules: dict[str, Annotated[int, Field(ge=1)] | Literal["latest"]] = Field(default_factory=dict)
    deploy: bool = True


class Manifest(_Part):
    """The file. `bindings`: Actions by trigger, in order; triggers that are not named stay as they are."""

    actions: dict[str, ActionEntry] = Field(default_factory=dict)
    modules: dict[str, ModuleEntry] = Field(default_factory=dict)
    bindings: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """An Action or a module as it should be.

    Attributes:
        trigger, runtime: empty for modules.
        dependencies: versions by package.
        secrets: names.
        modules: version numbers by module, or `LATEST`.
        file: as the project file names it.
    """

    name: str
    code: str
    trigger: str = ""
    runtime: str = ""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    modules: Mapping[str, int | str] = field(default_factory=dict)
    deploy: bool = True
    file: str = ""
    language: Language = Language.JAVASCRIPT


@dataclass(frozen=True, slots=True)
class Project:
    """A folder's Actions, modules and bindings."""

    actions: Mapping[str, Unit]
    modules: Mapping[str, Unit]
    bindings: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The project in `folder`.

        Raises:
            InputError: `no_project`, `not_yaml`, `invalid_project` (with the place in the file).
            ActionError: a source file cannot be used, as `load_source` says.
        """
        manifest = read_manifest(folder)

        def code(entry: ModuleEntry) -> tuple[str, Language]:
            source = load_source(folder / entry.file)
            return _plain_text(source.text, source.language, entry.file), source.language

        return cls(
            actions={name: unit_of(name, entry, *code(entry)) for name, entry in manifest.actions.items()},
            modules={name: unit_of(name, entry, *code(entry)) for name, entry in manifest.modules.items()},
            bindings=manifest.bindings,
        )


def read_manifest(folder: Path) -> Manifest:
    """The project file of `folder`. Raises `InputError` as `Project.read` does."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(
            "no_project",
            f"there is no {MANIFEST} in {folder}",
            next_step="Write one (docs/tenant-cli.md), or begin with `actionbox pull`.",
        )
    return parse_manifest(read_text(path, "project file"), str(path))


def parse_manifest(text: str, name: str) -> Manifest:
    """The project file whose text this is. Raises `InputError`: `not_yaml`, `invalid_project`."""
    manifest = _parse(text, name)
    _check(manifest, name)
    return manifest


def unit_of(name: str, entry: ModuleEntry, code: str, language: Language) -> Unit:
    """The Action, or the module, of an entry and the source in its file."""
    unit = Unit(
        name=name,
        code=code,
        dependencies=entry.dependencies,
        secrets=entry.secrets,
        file=entry.file,
        language=language,
    )
    if not isinstance(entry, ActionEntry):
        return unit
    return replace(
        unit,
        trigger=entry.trigger,
        runtime=entry.runtime or RUNTIMES[language],
        modules=entry.modules,
        deploy=entry.deploy,
    )


def _plain_text(text: str, language: Language, file: str) -> str:
    """`text`, if the service can run it: it knows no file names, so it takes JavaScript for JavaScript."""
    if language is Language.JAVASCRIPT and Path(file).suffix.lower() in (".ts", ".mts", ".cts"):
        raise InputError(
            "invalid_project",
            f"{file} is TypeScript, which the Management API has no runtime for",
            next_step="Compile it first (`npx tsc` or esbuild), and name the .js file.",
            source=file,
        )
    return text


def _parse(text: str, name: str) -> Manifest:
    value = parse_yaml(text, "project file", name)
    try:
        return Manifest.model_validate({} if value is None else value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise _invalid(name, f"{where}: {first['msg']}") from None


def _check(manifest: Manifest, name: str) -> None:
    """Check what the types do not say: triggers exist, and names refer to something."""
    for action, entry in manifest.actions.items():
        _check_trigger(entry.trigger, f"actions.{action}.trigger", name)
    for trigger, bound in manifest.bindings.items():
        _check_trigger(trigger, f"bindings.{trigger}", name)
        for index, action in enumerate(bound):
            found = manifest.actions.get(action)
            if found is not None and found.trigger != trigger:
                place = f"bindings.{trigger}.{index}"
                raise _invalid(name, f"{place}: {action} is an Action for {found.trigger}")


def _check_trigger(trigger: str, where: str, name: str) -> None:
    try:
        get_trigger(trigger)
    except UnknownTriggerError as error:
        raise _invalid(name, f"{where}: {error}") from None


def _invalid(name: str, problem: str) -> InputError:
    return InputError("invalid_project", f"{name}: {problem}", source=name)


def dump(manifest: Mapping[str, Any]) -> str:
    """The text of a project file, in a form that `read` takes back."""
    import yaml

    return yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, width=100)
