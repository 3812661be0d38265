"""`actionbox test`: declarative cases with progress, clear differences and JUnit XML."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runner.cli.author.images import open_engines
from runner.cli.problems import describe, show_failure
from runner.cli.terminal import line, output_console
from runner.flow.programs import ProgramCache
from runner.model.errors import RunnerError
from runner.project.action_files import EXTENSIONS
from runner.testing.cases.junit import write_junit
from runner.testing.cases.load import Case, find_case_files, load_cases
from runner.testing.cases.run import CaseResult, run_case

_MARKS = {
    "passed": ("ok   ", "green"),
    "failed": ("FAIL ", "bold red"),
    "unusable": ("ERROR", "bold red"),
    "skipped": ("skip ", "yellow"),
}


@dataclass(slots=True)
class _Suite:
    """Cases to run, and files that cannot be used."""

    cases: list[Case] = field(default_factory=list)
    unusable: list[tuple[Path, RunnerError]] = field(default_factory=list)


def test_command(paths: Sequence[Path], name_filter: str | None, junit: Path | None, *, strict: bool) -> None:
    """Run every case, print what fails, and exit: 0 passed, 1 failed, 2 unusable."""
    suite = _collect(paths, name_filter)
    console = output_console()
    languages = {
        EXTENSIONS.get(Path(spec.file).suffix.lower()) for case in suite.cases for spec in case.actions
    }
    open_engines(language for language in languages if language is not None)
    began = time.monotonic()
    results = _run(suite.cases, console, strict=strict)
    for file, error in suite.unusable:
        console.print(line(_MARKS["unusable"], f" {file}"))
        describe(error, console)
    if junit is not None:
        write_junit(junit, results, [(file, str(error)) for file, error in suite.unusable])
    _summary(results, len(suite.unusable), time.monotonic() - began, console)
    sys.exit(_exit_status(results, suite))


def _collect(paths: Sequence[Path], name_filter: str | None) -> _Suite:
    suite = _Suite()
    for path in paths:
        for file in find_case_files(path):
            try:
                suite.cases += load_cases(file)
            except RunnerError as error:
                suite.unusable.append((file, error))
    if name_filter is not None:
        text = name_filter.lower()
        suite.cases = [case for case in suite.cases if text in f"{case.path} {case.name}".lower()]
        if not suite.cases and not suite.unusable:
            raise RunnerError("no_cases", f"no case has a name that contains {name_filter!r}")
    return suite


def _run(cases: Sequence[Case], console: Console, *, strict: bool) -> list[CaseResult]:
    programs = ProgramCache()
    results = []
    with _progress(console, len(cases)) as (shown, advance):
        for case in cases:
            result = run_case(case, programs, strict=strict)
            results.append(result)
            advance()
            if result.status != "passed" or result.filled or not console.is_terminal:
                _show(result, shown)
    return results


@contextmanager
def _progress(console: Console, total: int) -> Iterator[tuple[Console, Callable[[], None]]]:
    if not console.is_terminal:
        yield console, lambda: None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("cases", total=total)
        yield progress.console, lambda: progress.advance(task)


def _show(result: CaseResult, console: Console) -> None:
    case = result.case
    milliseconds = f"({result.seconds * 1000:.0f} ms)"
    console.print(line(_MARKS[result.status], f" {case.path} :: {case.name} ", (milliseconds, "dim")))
    if result.filled:
        console.print(line((result.filled, "dim"), indent=6))
    if result.status == "skipped":
        console.print(line(case.skip or "", indent=6))
    if result.problem is not None:
        describe(result.problem, console)
    if result.differences and len(case.steps) > 1:
        console.print(line(f"in step {result.step}:", indent=6))
    for difference in result.differences:
        console.print(line((difference.path, "bold"), indent=6))
        console.print(line(("expected  ", "green"), difference.expected, indent=8))
        console.print(line(("found     ", "red"), difference.found, indent=8))
    if result.status == "failed" and result.outcome is not None and result.outcome.failure is not None:
        show_failure(result.outcome.failure, console, indent=6)


def _summary(results: Sequence[CaseResult], files: int, seconds: float, console: Console) -> None:
    counts = {name: sum(result.status == name for result in results) for name in _MARKS}
    counts["unusable"] += files
    words = {"passed": "passed", "failed": "failed", "unusable": "unusable", "skipped": "skipped"}
    text = ", ".join(
        f"{counts[name]} {word}" for name, word in words.items() if counts[name] or name == "passed"
    )
    good = not counts["failed"] and not counts["unusable"]
    console.print(line((text, "bold green" if good else "bold red"), f" in {seconds:.1f} s"))


def _exit_status(results: Sequence[CaseResult], suite: _Suite) -> int:
    statuses = {result.status for result in results}
    if suite.unusable or "unusable" in statuses:
        return 2
    return 1 if "failed" in statuses else 0
