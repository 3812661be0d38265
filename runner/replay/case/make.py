"""From a recorded execution to a case file that `actionbox test` runs green."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from runner.flow.programs import ProgramCache
from runner.model.caps import DEFAULT_BUDGET_MS
from runner.model.errors import InputError
from runner.model.secret_names import SCOPE, flattened
from runner.replay.case.circumstances import cache, clock, directory, resume, stubs
from runner.replay.case.expectation import expectation, weakened
from runner.replay.case.text import case_text
from runner.replay.record import FlowRecord, with_secrets
from runner.replay.recorded import Recorded
from runner.suspension.stores import PinnedAction
from runner.testing.cases.load import SUFFIX, load_cases
from runner.testing.cases.run import CaseResult, run_case
from sandbox.core.caps import Limits
from sandbox.egress.policy.allow import AllowRule

_ROUNDS: Final = 6
_HEAD: Final = """\
Made of execution {execution} by `actionbox replay --case`. Secrets are placeholders.
The event and the answers may hold personal data: look through them before you share this file."""


@dataclass(frozen=True, slots=True)
class MadeCase:
    """A case that was written, and files of Actions that were written beside it."""

    path: Path
    sources: tuple[Path, ...]


def write_case(
    recorded: Recorded,
    path: Path,
    *,
    drafts: Mapping[int, Path] | None = None,
    outcomes: Sequence[Mapping[str, Any]] | None = None,
    programs: ProgramCache | None = None,
) -> MadeCase:
    """Write a case of a recorded execution, and run it until it is green: where it differs from run to run
    (other times, other random numbers) anything is taken.

    Args:
        path: ends in `.case.yaml`; is replaced.
        drafts: files that take the place of Actions, by index.
        outcomes: what to expect of each leg, as `comparable` makes it; by default what is recorded.

    Raises:
        InputError: `invalid_option`, `unwritable`; `no_case`: the record is not of a whole flow, or what it
            holds does not make a case that passes.
    """
    if not path.name.endswith(SUFFIX):
        raise InputError("invalid_option", f"a case's file ends in {SUFFIX}, and {path} does not")
    if recorded.legs[0].number != 1:
        raise _impossible("its first leg is not on record")
    files, written = _sources(recorded.legs[0], path.parent, drafts or {})
    flat = [flattened(_secrets(action)) for action in recorded.legs[0].actions]
    recorded = replace(recorded, legs=tuple(with_secrets(leg, flat) for leg in recorded.legs))
    expect = [expectation(outcome) for outcome in outcomes or [leg.outcome for leg in recorded.legs]]
    problem = ""
    for bodies in (True, False):
        try:
            case = _case(recorded, files, bodies=bodies)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _impossible(f"a part of it is damaged ({type(error).__name__})") from None
        problem = _settled(case, expect, path, recorded.execution_id, programs or ProgramCache())
        if not problem:
            return MadeCase(path, tuple(written))
    for file in (path, *written):
        file.unlink(missing_ok=True)
    raise _impossible(problem)


def _settled(
    case: dict[str, Any],
    expected: Sequence[dict[str, Any]],
    path: Path,
    execution: str,
    programs: ProgramCache,
) -> str:
    """Write the case, and weaken it until it passes twice. Returns why it never does, "" when it does."""
    expect = json.loads(json.dumps(expected))
    passed = 0
    result: CaseResult | None = None
    for _ in range(_ROUNDS):
        _write(path, case_text(_with(case, expect), _HEAD.format(execution=execution)))
        result = run_case(load_cases(path)[0], programs)
        if result.status == "passed":
            passed += 1
            if passed == 2:
                return ""
            continue
        passed = 0
        paths = [difference.path for difference in result.differences]
        if result.status != "failed" or not weakened(expect[result.step - 1], paths):
            break
    assert result is not None
    reasons = [str(item) for item in result.differences] or [str(result.problem)]
    return f"a case of it does not pass: {reasons[0]}"


def _write(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        raise InputError("unwritable", f"{path} cannot be written: {error}") from None


def _impossible(reason: str) -> InputError:
    return InputError(
        "no_case",
        f"the record makes no test case: {reason}",
        next_step="Write one by hand (docs/testing.md); --save FILE keeps the record itself.",
    )


def _sources(record: FlowRecord, folder: Path, drafts: Mapping[int, Path]) -> tuple[list[str], list[Path]]:
    """Paths of the Actions' files from the case's folder, and those of them that were written. A file that is
    there already is taken as it is."""
    files, written = [], []
    for index, action in enumerate(record.actions):
        if index in drafts:
            files.append(_relative(drafts[index], folder))
            continue
        name = Path(action.source.filename).name
        files.append(name)
        if not (folder / name).exists():
            _write(folder / name, action.source.text)
            written.append(folder / name)
    return files, written


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path.resolve(), folder.resolve())


def _case(recorded: Recorded, files: Sequence[str], *, bodies: bool) -> dict[str, Any]:
    legs = recorded.legs
    first = legs[0]
    case: dict[str, Any] = {
        "trigger": first.trigger,
        "actions": [_action(action, file) for action, file in zip(first.actions, files, strict=True)],
        "event": first.state["event"],
        "seed": 1,
    }
    optional = {
        "clock": clock(first),
        "budget_ms": first.budget_ms if first.budget_ms != DEFAULT_BUDGET_MS else None,
        "limits": _limits(first.limits),
        "cache": cache(legs),
        "directory": directory(legs),
        "executed_rules": list(first.executed_rules),
        "features": list(first.features),
        "fetch": stubs(first, bodies=bodies),
    }
    case |= {name: value for name, value in optional.items() if value}
    steps: list[dict[str, Any]] = [{}]
    for before, leg in pairwise(legs):
        own = {"clock": clock(leg), "fetch": stubs(leg, bodies=bodies)}
        own = {name: value for name, value in own.items() if value}
        steps.append({"resume": resume(leg, before), **own})
    return case | {"steps": steps}


def _with(case: dict[str, Any], expect: Sequence[dict[str, Any]]) -> dict[str, Any]:
    steps = [{**step, "expect": item} for step, item in zip(case["steps"], expect, strict=True)]
    if len(steps) == 1:
        return {name: value for name, value in case.items() if name != "steps"} | {"expect": expect[0]}
    return case | {"steps": steps}


def _action(action: PinnedAction, file: str) -> dict[str, Any]:
    if action.fail_policy is not None and action.fail_policy.value == "last_good":
        raise ValueError("last_good")
    optional = {
        "secrets": _secrets(action),
        "configuration": action.configuration,
        "fail": action.fail_policy.value if action.fail_policy is not None else None,
        "limits": _limits(action.limits) if action.limits is not None else None,
        "allow": None if action.allow is None else [text for rule in action.allow for text in _rules(rule)],
    }
    return {"file": file, "name": action.name} | {name: value for name, value in optional.items() if value}


def _rules(rule: AllowRule) -> list[str]:
    """As `parse_allow` reads them: one for each port and path."""
    methods = f"{','.join(sorted(rule.methods))} " if rule.methods else ""
    ports = [f":{port}" for port in sorted(rule.ports)] or [""]
    return [f"{methods}{rule.host}{port}{path}" for port in ports for path in rule.paths or ("",)]


def _limits(limits: Limits) -> dict[str, int]:
    usual = Limits()
    names = ("wall_ms", "memory_bytes", "log_bytes", "commands", "command_bytes")
    return {name: getattr(limits, name) for name in names if getattr(limits, name) != getattr(usual, name)}


def _secrets(action: PinnedAction) -> dict[str, Any]:
    values: dict[str, Any] = {name: f"placeholder-{name}" for name in action.secret_names}
    for module, names in action.module_secret_names.items():
        values[f"{SCOPE}{module}"] = {name: f"placeholder-{name}" for name in names}
    return values
