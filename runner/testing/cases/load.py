"""From case files to cases that can run: defaults of the file and the case put together and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from runner.model.errors import InputError
from runner.project.jsonfile import read_text
from runner.testing.cases.match import check_expectation
from runner.testing.cases.model import (
    ActionSpec,
    CaseFile,
    CaseSpec,
    DirectorySpec,
    LimitsSpec,
    Secrets,
    Step,
)
from runner.testing.cases.problems import sentences
from runner.testing.cases.yaml import parse_yaml
from sandbox.egress import Stub, StubFormatError, parse_stubs

SUFFIX: Final = ".case.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """One case, complete: nothing needs to be looked up in its file any more.

    Attributes:
        path: the file it came from; its folder is where relative paths begin.
        patches: JSON merge patches for the event, in order.
        steps: at least one; the first has no `resume`.
    """

    path: Path
    name: str
    trigger: str
    actions: tuple[ActionSpec, ...]
    event: str | dict[str, Any] | None
    patches: tuple[dict[str, Any], ...]
    secrets: Secrets
    configuration: dict[str, Any]
    fetch: tuple[Stub, ...]
    clock: float | None
    seed: int | None
    limits: LimitsSpec
    budget_ms: int | None
    cache: dict[str, str]
    directory: DirectorySpec
    executed_rules: tuple[str, ...]
    features: tuple[str, ...]
    steps: tuple[Step, ...]
    skip: str | None


def find_case_files(path: Path) -> list[Path]:
    """The case files in a folder and below, or the file itself.

    Raises:
        InputError: `not_found`, `no_cases`.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError("not_found", f"there is no folder or case file {path}", source=str(path))
    found = sorted(item for item in path.rglob(f"*{SUFFIX}") if item.is_file())
    if not found:
        raise InputError(
            "no_cases",
            f"there is no case file (*{SUFFIX}) in {path}",
            next_step="`actionbox new` writes one beside its Action; docs/testing.md describes the format.",
            source=str(path),
        )
    return found


def load_stubs(path: Path) -> tuple[Stub, ...]:
    """The stubs of a YAML or JSON file: a list, or a mapping with the list under `fetch`.

    Raises:
        InputError: `not_yaml`, `invalid_stubs`, or as `read_text`.
    """
    data = parse_yaml(read_text(path, "stub file"), "stub file", str(path))
    if isinstance(data, dict) and set(data) == {"fetch"}:
        data = data["fetch"]
    try:
        return parse_stubs(data)
    except StubFormatError as error:
        message = f"stub file {path} cannot be used: {error.path} {error.problem}"
        raise InputError("invalid_stubs", message, source=str(path)) from None


def load_cases(path: Path) -> list[Case]:
    """The cases of one file. Raises `InputError` (`not_yaml`, `invalid_case`, or as `read_text`)."""
    data = parse_yaml(read_text(path, "case file"), "case file", str(path))
    file = _parse(data, path)
    cases = file.cases or [CaseSpec(name=_title(path))]
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(path, f"two cases have the name {name!r}")
    return [_merge(path, file, case) for case in cases]


def _title(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def _parse(data: Any, path: Path) -> CaseFile:
    if not isinstance(data, dict):
        raise _invalid(path, "must be a mapping with `trigger` and `cases` or `expect`")
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        raise _invalid(path, *sentences(error, _KEYS)) from None


_KEYS: Final = {
    *CaseFile.model_fields,
    *CaseSpec.model_fields,
    *Step.model_fields,
    *ActionSpec.model_fields,
} | {
    "in",
    "json",
    "answer",
    "url",
}


def _invalid(path: Path, *problems: str) -> InputError:
    text = "\n".join(f"  {problem}" for problem in problems)
    return InputError(
        "invalid_case",
        f"case file {path} cannot be used:\n{text}",
        next_step="docs/testing.md describes the format.",
        source=str(path),
    )


def _merge(path: Path, file: CaseFile, case: CaseSpec) -> Case:
    actions = case.actions if case.actions is not None else file.actions
    if not actions:
        raise _invalid(path, f"case {case.name!r} has no actions")
    return Case(
        path=path,
        name=case.name,
        trigger=file.trigger,
        actions=tuple(actions),
        event=case.event if case.event is not None else file.event,
        patches=tuple(item for item in (file.patch, case.patch) if item is not None),
        secrets={**file.secrets, **case.secrets},
        configuration={**file.configuration, **case.configuration},
        fetch=parse_stubs([*case.fetch, *file.fetch]),
        clock=case.clock if case.clock is not None else file.clock,
        seed=case.seed if case.seed is not None else file.seed,
        limits=LimitsSpec(**{**file.limits.given(), **case.limits.given()}),
        budget_ms=case.budget_ms or file.budget_ms,
        cache={**file.cache, **case.cache},
        directory=case.directory or file.directory or DirectorySpec(),
        executed_rules=tuple(case.executed_rules or file.executed_rules or ()),
        features=tuple(case.features or file.features or ()),
        steps=_steps(path, file, case),
        skip=case.skip or file.skip,
    )


def _steps(path: Path, file: CaseFile, case: CaseSpec) -> tuple[Step, ...]:
    if case.steps is not None:
        steps = case.steps
    elif case.expect is not None:
        steps = [Step(expect=case.expect)]
    elif file.steps is not None:
        steps = file.steps
    elif file.expect is not None:
        steps = [Step(expect=file.expect)]
    else:
        raise _invalid(path, f"case {case.name!r} has neither expect nor steps, so it would test nothing")
    _check_steps(path, case.name, steps)
    return tuple(steps)


def _check_steps(path: Path, name: str, steps: list[Step]) -> None:
    if not steps:
        raise _invalid(path, f"case {name!r} has no steps")
    for number, step in enumerate(steps):
        if number == 0 and step.resume is not None:
            raise _invalid(path, f"case {name!r}: the first step runs the flow and cannot have `resume`")
        if number > 0 and step.resume is None:
            raise _invalid(path, f"case {name!r}: step {number + 1} needs `resume` (`resume: {{}}` will do)")
        if not step.expect:
            raise _invalid(path, f"case {name!r}: an empty `expect` would test nothing")
        mistakes = check_expectation(step.expect, "$.expect")
        if mistakes:
            raise _invalid(path, *(f"case {name!r}: {mistake}" for mistake in mistakes))
