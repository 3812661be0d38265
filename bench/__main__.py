"""`python -m bench`: every figure in one run. Name parts to run only those, see `PARTS`; `profile` draws.

Figures are printed, and kept in `build/bench/results.json` with the chart that is made of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console, Group, RenderableType

from bench import chart, results
from bench.engine import event, fidelity, flow, latency, limits, packages, shadow
from bench.growth import table as growth
from bench.measure import machine
from bench.report import Report
from bench.rollout import reach
from bench.rollout import simulate as rollout
from bench.scale import footprint, fronts, simulate
from bench.service import (
    drafts,
    flood,
    hook_limits,
    hooks,
    invoke,
    parts,
    profile,
    queue,
    records,
    resume,
    sizes,
    workers,
)

PARTS: Final[dict[str, Callable[[], Report]]] = {
    "latency": latency.measured,
    "event": event.measured,
    "flow": flow.measured,
    "sizes": sizes.measured,
    "packages": packages.measured,
    "shadow": shadow.measured,
    "fidelity": fidelity.measured,
    "memory": limits.memory,
    "stops": limits.stops,
    "workers": workers.throughput,
    "fairness": workers.fairness,
    "queue": queue.measured,
    "service": invoke.measured,
    "service-parts": parts.measured,
    "service-resume": resume.measured,
    "service-drafts": drafts.measured,
    "service-hooks": hooks.measured,
    "service-hook-limits": hook_limits.measured,
    "service-records": records.cost,
    "service-record-bytes": records.sizes,
    "service-scaling": invoke.scaling,
    "service-fairness": invoke.fairness,
    "service-flood": flood.measured,
    "rollout-reach": reach.measured,
}
ONLY_WHEN_NAMED: Final[dict[str, Callable[[], RenderableType]]] = {
    "profile": lambda: profile.drawn().table(),
    "fronts": fronts.table,
    "footprint": footprint.table,
    "simulate": simulate.tables,
    "rollout": rollout.tables,
    "growth": lambda: Group(*growth.tables()),
}
"""Pictures, and tables of what takes long or is told by its page: their figures are not kept."""
WITH_ARGUMENTS: Final[dict[str, Callable[[tuple[str, ...]], RenderableType]]] = {
    "service-flood": lambda kinds: flood.measured(kinds).table(),
    "simulate": simulate.tables,
    "growth": lambda options: Group(*growth.tables(options)),
}


def main() -> int:
    """0, or 2 for a part that is not there."""
    console = Console()
    console.print(str(machine()))
    named = sys.argv[1:] or list(PARTS)
    if named[1:] and named[0] in WITH_ARGUMENTS and not {*PARTS, *ONLY_WHEN_NAMED} & {*named[1:]}:
        console.print(WITH_ARGUMENTS[named[0]](tuple(named[1:])))
        return 0
    if unknown := [name for name in named if name not in {*PARTS, *ONLY_WHEN_NAMED}]:
        known = ", ".join([*PARTS, *ONLY_WHEN_NAMED])
        print(f"bench has no part {', '.join(unknown)}; its parts are {known}", file=sys.stderr)
        return 2
    for name in named:
        if name in ONLY_WHEN_NAMED:
            console.print(ONLY_WHEN_NAMED[name]())
            continue
        began = machine()
        report = PARTS[name]()
        console.print(report.table())
        chart.draw(results.keep(name, report, began), results.FRESH)
        console.print(f"kept in {results.FRESH / results.FILE}; the chart is {results.FRESH / chart.FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
