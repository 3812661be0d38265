"""`python -m tools.coverage_table`: statements of each package that the tests ran, after `make coverage`."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Final

REPORT: Final = Path("build/coverage/coverage.json")
WIDTH: Final = 32


def table(report: dict[str, dict[str, dict[str, dict[str, int]]]]) -> str:
    """A row for each package of the second level, for those of the first, and for all of them.

    Args:
        report: what `coverage json` writes.
    """
    ran: defaultdict[str, int] = defaultdict(int)
    statements: defaultdict[str, int] = defaultdict(int)
    for file, facts in report["files"].items():
        top, *folders = Path(file).parent.parts
        for package in {top, "/".join((top, *folders[:1])), "together"}:
            ran[package] += facts["summary"]["covered_lines"]
            statements[package] += facts["summary"]["num_statements"]
    rows = [
        (package, statements[package], 100 * ran[package] / count)
        for package, count in statements.items()
        if count
    ]
    lines = [
        f"{'package':{WIDTH}} statements  run",
        *(f"{p:{WIDTH}} {n:10} {s:3.0f}%" for p, n, s in sorted(rows)),
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    print(table(json.loads(REPORT.read_text())))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
