"""The case files of samples and of Actions as tenants write them, read once in a process of the suite."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from runner.testing.cases.load import Case, find_case_files, load_cases


@cache
def cases_below(folder: Path) -> tuple[Case, ...]:
    """All cases of all files below `folder`."""
    return tuple(case for path in find_case_files(folder) for case in load_cases(path))
