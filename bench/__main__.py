"""`python -m bench`: every figure in one run. Name parts to run only those, see `PARTS`; `profile` draws."""

from __future__ import annotations

import sys

from rich.console import Console

from bench import event, flood, flow, latency, limits, packages, profile, queue, service, workers
from bench.growth.table import tables as growth_tables
from bench.measure import machine

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
ONLY_WHEN_NAMED = {"profile": profile.table}


def main() -> None:
    console = Console()
    console.print(machine())
    if sys.argv[1:2] == ["service-flood"]:
        console.print(flood.table(tuple(sys.argv[2:])))
        return
    if sys.argv[1:2] == ["growth"]:
        for made in growth_tables(sys.argv[2:]):
            console.print(made)
        return
    for name in sys.argv[1:] or PARTS:
        console.print({**PARTS, **ONLY_WHEN_NAMED}[name]())


if __name__ == "__main__":
    main()
