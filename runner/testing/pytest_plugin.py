"""pytest plugin: collects `*.case.yaml` files, and gives the fixture `actionbox` (docs/testing.md).

Imports stand inside functions: the plugin loads in every pytest run of a project that has actionbox
installed, and most of those run no Action.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from runner.flow.programs import ProgramCache
    from runner.testing.box import ActionBox
    from runner.testing.cases.load import Case
    from runner.testing.cases.run import CaseResult

_SUFFIX = ".case.yaml"
_PROGRAMS = pytest.StashKey["ProgramCache"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--no-actionbox-cases` leaves case files to `actionbox test`."""
    group = parser.getgroup("actionbox")
    group.addoption(
        "--no-actionbox-cases", action="store_true", help=f"do not collect actionbox case files (*{_SUFFIX})"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A case file becomes a collector of its cases."""
    if not file_path.name.endswith(_SUFFIX) or parent.config.getoption("--no-actionbox-cases"):
        return None
    collector: pytest.Collector = CaseFileCollector.from_parent(parent, path=file_path)
    return collector


def _programs(config: pytest.Config) -> ProgramCache:
    """One cache for the session, so that each source is built once."""
    from runner.flow.programs import ProgramCache

    if _PROGRAMS not in config.stash:
        config.stash[_PROGRAMS] = ProgramCache()
    return config.stash[_PROGRAMS]


class CaseFileCollector(pytest.File):
    """The cases of one file."""

    def collect(self) -> Iterator[pytest.Item]:
        from runner.model.errors import RunnerError
        from runner.testing.cases.load import load_cases

        try:
            cases = load_cases(self.path)
        except RunnerError as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield CaseItem.from_parent(self, name=case.name, case=case)


class CaseFailedError(Exception):
    """A case did not come out as expected."""

    def __init__(self, result: CaseResult) -> None:
        super().__init__(result.case.name)
        self.result = result


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **options: Any) -> None:
        super().__init__(**options)
        self.case = case

    def runtest(self) -> None:
        from runner.testing.cases.run import run_case

        result = run_case(self.case, _programs(self.config))
        if result.status == "skipped":
            pytest.skip(self.case.skip or "")
        if result.filled:
            self.add_report_section("call", "actionbox event", result.filled)
        if result.outcome is not None:
            self._report_logs(result)
        if result.status != "passed":
            raise CaseFailedError(result)

    def _report_logs(self, result: CaseResult) -> None:
        from runner.model.text import printable

        lines = [
            f"{record.name}: {line.level}: {printable(line.text)}"
            for record in (result.outcome.actions if result.outcome else ())
            for line in record.logs
        ]
        if lines:
            self.add_report_section("call", "actionbox log", "\n".join(lines))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Differences instead of a traceback."""
        if not isinstance(excinfo.value, CaseFailedError):
            return super().repr_failure(excinfo, style)
        return describe_result(excinfo.value.result)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


def describe_result(result: CaseResult) -> str:
    """The failures of a case, as text."""
    from runner.model.text import printable

    if result.problem is not None:
        return printable(f"the case cannot be used: {result.problem}")
    lines = [f"in step {result.step}:"] if len(result.case.steps) > 1 else []
    lines += [str(difference) for difference in result.differences]
    failure = result.outcome.failure if result.outcome else None
    if failure is not None:
        place = f" ({failure.place.file}:{failure.place.line})" if failure.place else ""
        lines.append(f"the Action failed: {failure.code.value}: {failure.message}{place}")
    return printable("\n".join(lines))


@pytest.fixture
def actionbox(request: pytest.FixtureRequest) -> ActionBox:
    """Runs Actions with stubbed requests; relative paths begin at the test file's folder."""
    from runner.testing.box import ActionBox

    return ActionBox(folder=request.path.parent, programs=_programs(request.config))
