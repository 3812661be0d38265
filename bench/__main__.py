"""`python -m bench`: every figure in one run. Name parts to run only those, see `PARTS`; `profile` draws."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console, RenderableType

from bench import event, flood, flow, latency, limits, packages, profile, queue, service, workers
from bench.measure import machine
from bench.scale import footprint, fronts, simulate

PARTS = {
    "latency": latency.table,
    "event": event.table,
    "flow": flow.table,
    "packages": packages.table,
    "memory": limits.memory,
    "stops": limits.stops,
    "workers": workers.throughput,
    "fairness": workers.fairness,
    "queue": queue.table,
    "service": service.table,
    "service-scaling": service.scaling,
    "service-fairness": service.fairness,
    "service-flood": flood.table,
}
ONLY_WHEN_NAMED: dict[str, Callable[[], RenderableType]] = {
    "profile": profile.table,
    "fronts": fronts.table,
    "footprint": footprint.table,
    "simulate": simulate.tables,
}
WITH_ARGUMENTS: dict[str, Callable[[tuple[str, ...]], RenderableType]] = {
    "service-flood": flood.table,
    "simulate": simulate.tables,
}


def main() -> None:
    console = Console()
    console.print(machine())
    if sys.argv[1:2] and sys.argv[1] in WITH_ARGUMENTS:
        console.print(WITH_ARGUMENTS[sys.argv[1]](tuple(sys.argv[2:])))
        return
    for name in sys.argv[1:] or PARTS:
        console.print({**PARTS, **ONLY_WHEN_NAMED}[name]())


if __name__ == "__main__":
    main()
