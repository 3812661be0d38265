"""JUnit XML of replayed files, as continuous-integration systems read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from runner.model.errors import InputError
from runner.model.text import printable
from runner.replay.folder import FileResult


def write_junit(path: Path, results: Sequence[FileResult]) -> None:
    """Write the report.

    Raises:
        InputError: `unwritable`.
    """
    suite = ET.Element(
        "testsuite",
        name="actionbox verify",
        tests=str(len(results)),
        failures=str(sum(item.result == "different" for item in results)),
        errors=str(sum(item.result == "unusable" for item in results)),
        time=f"{sum(item.seconds for item in results):.3f}",
    )
    for item in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=printable(str(item.path.parent)),
            name=printable(item.path.name),
            time=f"{item.seconds:.3f}",
        )
        note = printable(item.note)
        if item.result != "same":
            kind = "failure" if item.result == "different" else "error"
            ET.SubElement(case, kind, message=note).text = note
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise InputError("unwritable", f"{path} cannot be written: {error.strerror}") from None
