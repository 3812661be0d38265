"""The results file: the newest figures of each part, with the machine, versions and time they were taken at.

`build/bench/results.json` is written after each part that was run; parts that were not run stay as they were.
`docs/performance/results.json` is the run that the documentation tells, and is there for those who have not
run anything.
"""

from __future__ import annotations

import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.measure import Machine
from bench.report import Report

FRESH: Final = Path("build/bench")
TOLD: Final = Path("docs/performance")
FILE: Final = "results.json"
_OURS: Final = ("wasmtime", "componentize-py")

Results = dict[str, dict[str, Any]]
"""By the name of the part."""


class NoFiguresError(Exception):
    """A part measured nothing and does not say why."""


def described(name: str, report: Report, machine: Machine) -> dict[str, Any]:
    """A part as the file has it. Raises `NoFiguresError`."""
    figures = list(report.figures())
    if not figures and not report.left_out:
        raise NoFiguresError(f"bench {name} found nothing: a part adds rows, or says what it leaves out")
    return {
        "title": report.title,
        "at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "machine": machine.facts(),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in _OURS},
            **report.versions,
        },
        "figures": figures,
        "left_out": [
            {"of": dict(zip(report.labels, labels, strict=False)), "why": why}
            for labels, why in report.left_out
        ],
    }


def read(folder: Path) -> Results:
    """What the file in `folder` holds; nothing when there is none."""
    path = folder / FILE
    if not path.is_file():
        return {}
    found: Results = json.loads(path.read_text(encoding="utf-8"))["parts"]
    return found


def keep(name: str, report: Report, machine: Machine, *, fresh: Path = FRESH, told: Path = TOLD) -> Results:
    """Replace one part of the file in `fresh`; of the others the newer of `fresh` and `told` stays."""
    parts = read(told)
    for other, part in read(fresh).items():
        if other not in parts or part["at"] >= parts[other]["at"]:
            parts[other] = part
    parts[name] = described(name, report, machine)
    fresh.mkdir(parents=True, exist_ok=True)
    (fresh / FILE).write_text(_written(parts), encoding="utf-8")
    return parts


def _written(parts: Results) -> str:
    """JSON with a line for each figure, so that a difference between two runs can be read."""
    written = (f"{json.dumps(name)}: {{\n{_members(part)}\n}}" for name, part in sorted(parts.items()))
    return '{"parts": {\n' + ",\n".join(written) + "\n}}\n"


def _members(part: dict[str, Any]) -> str:
    lines = []
    for name, value in part.items():
        if isinstance(value, list) and value:
            text = "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n ]"
        else:
            text = json.dumps(value, ensure_ascii=False)
        lines.append(f" {json.dumps(name)}: {text}")
    return ",\n".join(lines)
