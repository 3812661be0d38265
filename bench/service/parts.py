"""What an invoke takes for one client, beside the parts of it that the service tells of."""

from __future__ import annotations

import asyncio
import json
import re
import time
from statistics import median
from typing import Final

from bench.engine.latency import bench_event
from bench.measure import spread
from bench.report import Figure, Report
from bench.service.caller import Caller
from bench.service.invoke import INVOKE, deploy, running_service
from sandbox.core.program import Language

_RUNS: Final = 500
_PARTS: Final = ("queue", "build", "run", "record")
"""Of the `Server-Timing` header; `total` has what is between them as well."""


def measured() -> Report:
    """Medians of the whole and of each part, and how many times their sum the whole is."""
    made = Report(
        "An invoke of one client and its parts (1 worker, SQLite)",
        ("language",),
        ("invoke", *_PARTS, "total", "p50 relative to the sum of parts"),
    )
    with running_service(1, "sqlite") as served:
        for language in Language:
            whole, parts = asyncio.run(_timed(Caller(served.url, deploy(served.api(), language))))
            told = {name: median(part[name] for part in parts) for name in (*_PARTS, "total")}
            together = median(sum(part[name] for name in _PARTS) for part in parts)
            p50 = spread(whole)
            figures = [Figure(value, "ms", 2) for value in told.values()]
            made.add(language.value, p50, *figures, Figure(p50.p50 / together, "x", 2))
    return made


async def _timed(caller: Caller) -> tuple[list[float], list[dict[str, float]]]:
    """Milliseconds that the client waited, and what the service said of each answer."""
    body = json.dumps({"event": json.loads(bench_event())}).encode()
    whole, parts = [], []
    for run in range(-50, _RUNS):
        began = time.perf_counter()
        answer = await caller.send(INVOKE, body, more="Prefer: server-timing\r\n")
        took = (time.perf_counter() - began) * 1000
        assert answer.status == 200, answer.body
        if run >= 0:
            whole.append(took)
            parts.append({name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", answer.head)})
    return whole, parts
