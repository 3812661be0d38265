"""Case files of a folder: what is in them, and what comes of running them, as JSON.

They run in this process, as `actionbox test` runs them: on doubles, with no network.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.dev.discovery import Trouble
from runner.dev.folder import Folder
from runner.flow.programs import ProgramCache
from runner.model.errors import InputError, RunnerError
from runner.testing.cases.load import SUFFIX, Case, load_cases
from runner.testing.cases.run import CaseResult, run_case
from sandbox.core.failure import BuildError
from triggers import EventError

_PROGRAMS: Final = 64
"""Programs that are kept built."""


@dataclass(slots=True)
class Cases:
    """The case files of a folder. Safe between threads."""

    folder: Folder
    _programs: ProgramCache = field(default_factory=lambda: ProgramCache(size=_PROGRAMS))

    def listed(self) -> list[dict[str, Any]]:
        """Every case file with its cases, or with what is wrong with it."""
        return [self._file(name) for name in self.folder.names() if name.endswith(SUFFIX)]

    def run(self, name: str, only: str | None = None) -> list[dict[str, Any]]:
        """The results of one file's cases, or of the one that is called `only`.

        Raises:
            InputError: the file cannot be used, or has no such case.
        """
        cases = [case for case in self._load(name) if only is None or case.name == only]
        if not cases:
            raise InputError("no_case", f"{name} has no case {only!r}", source=name)
        return [_result(name, run_case(case, self._programs)) for case in cases]

    def _file(self, name: str) -> dict[str, Any]:
        try:
            tag = self.folder.read(name).tag
            cases = self._load(name)
        except RunnerError as error:
            return {"file": name, "cases": [], "problem": _problem(error)}
        return {
            "file": name,
            "etag": tag,
            "trigger_id": cases[0].trigger,
            "cases": [_case(case) for case in cases],
        }

    def _load(self, name: str) -> Sequence[Case]:
        """Raises `InputError`."""
        if not name.endswith(SUFFIX):
            raise InputError("not_a_case_file", f"a case file ends in {SUFFIX}", source=name)
        self.folder.read(name)  # refuses what lies outside, and links
        return load_cases(self.folder.path(name))


def _case(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "actions": [spec.file for spec in case.actions],
        "steps": len(case.steps),
        **({} if case.skip is None else {"skip": case.skip}),
    }


def _result(file: str, result: CaseResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": file,
        "name": result.case.name,
        "status": result.status,
        "ms": round(result.seconds * 1000, 3),
        "step": result.step,
        "differences": [
            {"path": item.path, "expected": item.expected, "found": item.found} for item in result.differences
        ],
    }
    if result.filled:
        found["filled"] = result.filled
    if result.problem is not None:
        found["problem"] = _problem(result.problem)
    if result.outcome is not None:
        found["outcome"] = json.loads(result.outcome.to_json())
    return found


def _problem(error: Exception) -> dict[str, Any]:
    if isinstance(error, RunnerError | BuildError):
        return Trouble.of("", error).told()
    if isinstance(error, EventError):
        return {"message": "; ".join(str(problem) for problem in error.problems[:5]) or str(error)}
    return {"message": str(error)}
