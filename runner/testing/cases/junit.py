"""JUnit XML of case results, as continuous-integration systems read it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from runner.model.errors import InputError
from runner.model.text import printable
from runner.testing.cases.run import CaseResult


def write_junit(
    path: Path, results: Sequence[CaseResult], unusable_files: Sequence[tuple[Path, str]]
) -> None:
    """Write the report. `unusable_files`: case files that could not be read, with the reason.

    Raises:
        InputError: `unwritable`.
    """
    root = ET.Element("testsuites", name="actionbox")
    for file, group in groupby(results, key=lambda result: result.case.path):
        _suite(root, file, list(group))
    for file, reason in unusable_files:
        suite = _suite(root, file, [])
        suite.set("tests", "1")
        suite.set("errors", "1")
        case = ET.SubElement(suite, "testcase", classname=printable(str(file)), name="(file)")
        ET.SubElement(case, "error", message=_line(reason)).text = printable(reason)
    try:
        ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise InputError("unwritable", f"{path} cannot be written: {error.strerror}") from None


def _suite(root: ET.Element, file: Path, results: Sequence[CaseResult]) -> ET.Element:
    def count(status: str) -> str:
        return str(sum(result.status == status for result in results))

    suite = ET.SubElement(
        root,
        "testsuite",
        name=printable(str(file)),
        tests=str(len(results)),
        failures=count("failed"),
        errors=count("unusable"),
        skipped=count("skipped"),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        _case(suite, result)
    return suite


def _case(suite: ET.Element, result: CaseResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=printable(str(result.case.path)),
        name=printable(result.case.name),
        time=f"{result.seconds:.3f}",
    )
    if result.status == "failed":
        text = printable("\n".join(map(str, result.differences)))
        ET.SubElement(case, "failure", message=_line(text)).text = text
    elif result.status == "unusable":
        text = printable(str(result.problem))
        ET.SubElement(case, "error", message=_line(text)).text = text
    elif result.status == "skipped":
        ET.SubElement(case, "skipped", message=printable(result.case.skip or ""))
    logs = [
        f"{record.name}: {line.level}: {line.text}"
        for record in (result.outcome.actions if result.outcome else ())
        for line in record.logs
    ]
    if logs:
        ET.SubElement(case, "system-out").text = printable("\n".join(logs))


def _line(text: str) -> str:
    return printable(text.partition("\n")[0])
