"""`python -m bench`: every figure in one run. Name parts to run only those, see `PARTS`; `profile` draws.

Figures are printed, and kept in `build/bench/results.json` with the chart that is made of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console

from bench import chart, results
from bench.engine import event, flow, latency, limits, packages
from bench.measure import machine
from bench.report import Report
from bench.service import drafts, flood, invoke, parts, profile, queue, resume, sizes, workers

PARTS: Final[dict[str, Callable[[], Report]]] = {
    "latency": latency.measured,
    "event": event.measured,
    "flow": flow.measured,
    "sizes": sizes.measured,
    "packages": packages.measured,
    "memory": limits.memory,
    "stops": limits.stops,
    "workers": workers.throughput,
    "fairness": workers.fairness,
    "queue": queue.measured,
    "service": invoke.measured,
    "service-parts": parts.measured,
    "service-resume": resume.measured,
    "service-drafts": drafts.measured,
    "service-scaling": invoke.scaling,
    "service-fairness": invoke.fairness,
    "service-flood": flood.measured,
}
ONLY_WHEN_NAMED: Final[dict[str, Callable[[], Report]]] = {"profile": profile.drawn}
"""These draw pictures and have no figures to keep."""


def main() -> int:
    """0, or 2 for a part that is not there."""
    console, known = Console(), {**PARTS, **ONLY_WHEN_NAMED}
    console.print(str(machine()))
    if sys.argv[1:2] == ["service-flood"] and sys.argv[2:]:  # kinds of it, which are not the whole part
        console.print(flood.measured(tuple(sys.argv[2:])).table())
        return 0
    named = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in named if name not in known]:
        print(f"bench has no part {', '.join(unknown)}; its parts are {', '.join(known)}", file=sys.stderr)
        return 2
    for name in named:
        began = machine()
        report = known[name]()
        console.print(report.table())
        if name in PARTS:
            chart.draw(results.keep(name, report, began), results.FRESH)
    console.print(f"kept in {results.FRESH / results.FILE}; the chart is {results.FRESH / chart.FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
