"""How many records still do the same once personal data is replaced (docs/safe-change/privacy.md)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.report import Figure, Report
from runner.flow.programs import ProgramCache
from tests.privacy.corpus import cases, legs
from tests.privacy.packages_plugin import FILE

_VERDICTS: Final = ("exact", "same decision", "differs", "unknown")


def measured() -> Report:
    """Legs by what their stamp says, and the share of those that can be looked into."""
    made = Report(
        "Records in redacted form, replayed", ("records",), ("legs", *_VERDICTS, "exact or same decision")
    )
    found = {
        "samples": _of_cases("samples"),
        "tests/wild": _of_cases("tests/wild"),
        "tests/packages": _of_packages(),
    }
    for name, counts in found.items():
        if counts.total():
            _add(made, name, counts)
        else:
            made.leave_out(name, why="the tests did not run; see `pytest tests/packages`")
    _add(made, "together", sum(found.values(), Counter()))
    return made


def _add(made: Report, name: str, counts: Counter[str]) -> None:
    total = counts.total()
    share = 100 * (counts["exact"] + counts["same decision"]) / max(1, total)
    numbers = [Figure(counts[verdict], "legs", 0) for verdict in _VERDICTS]
    made.add(name, Figure(total, "legs", 0), *numbers, Figure(share, "%", 1))


def _of_cases(folder: str) -> Counter[str]:
    programs = ProgramCache()
    counts: Counter[str] = Counter()
    for leg in legs(cases([folder]), programs):
        stamp = leg.fidelity(programs)
        counts[stamp.verdict] += 1
        if not stamp.reproduces:
            print(f"{leg.name}: {stamp}")
    return counts


def _of_packages() -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stamps"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.privacy.packages_plugin",
            "tests/packages",
        ]
        subprocess.run(command, env={**os.environ, FILE: str(path)}, check=False)
        return Counter(verdict for verdict in _stamps(path))


def _stamps(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        name, verdict, said = line.split("\t")
        if verdict not in ("exact", "same decision"):
            print(f"{name}: {said}")
        yield verdict
