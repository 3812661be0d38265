"""Time until hostile Actions are stopped, and the memory that they cost the host."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Final

from rich.table import Table

import sandbox
from bench import instances
from bench.hostile import MEMORY, hostile
from bench.latency import TRIVIAL, RecordingApi, request
from bench.measure import private_bytes, resident_bytes
from sandbox.core.caps import MIB, Limits
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress
from sandbox.port.live import LivePort
from sandbox.result import ExecutionResult

WALL_MS: Final = 1000


def execute(language: Language, text: str, limits: Limits) -> ExecutionResult:
    program = sandbox.build(Source(language, f"bench.{language}", text))
    return sandbox.run(program, request(), limits, LivePort(RecordingApi(), NoEgress(), limits))


def stops() -> Table:
    """Wall time of every hostile Action under a limit of one second."""
    rows = Table("language", "Action", "ended as", "ms", "target", title=f"Stops under a {WALL_MS} ms limit")
    for language in Language:
        for name, text in hostile(language).items():
            start = time.perf_counter()
            result = execute(language, text, replace(Limits(), wall_ms=WALL_MS))
            took = (time.perf_counter() - start) * 1000
            ended = result.failure.code.value if result.failure else "completed"
            rows.add_row(language.value, name, ended, f"{took:.0f}", f"<= {WALL_MS + 250}")
    return rows


def memory() -> Table:
    """Host memory: a flat line over many executions, and a hard stop at the limit."""
    rows = Table("what", "measured", "target", title="Memory")
    for language in Language:
        first, *_, later = instances.measure(language)
        rows.add_row(
            f"{language}: a live instance, private",
            f"{first / MIB:.1f} MiB; {later / MIB:.1f} MiB in used memory",
            "",
        )
        rows.add_row(
            f"{language}: 5,000 executions, growth of the host", _growth(language), "flat (<= 4 MiB)"
        )
        rows.add_row(f"{language}: Action over a 64 MiB limit", _over(language), "<= 80 MiB, memory")
    return rows


def _growth(language: Language) -> str:
    program = sandbox.build(Source(language, "bench", TRIVIAL[language]))
    limits, what = Limits(), request()

    def many(count: int) -> None:
        for _ in range(count):
            sandbox.run(program, what, limits, LivePort(RecordingApi(), NoEgress(), limits))

    many(300)
    before = private_bytes()
    many(5000)
    return f"{(private_bytes() - before) / MIB:+.1f} MiB"


def _over(language: Language) -> str:
    limits = replace(Limits(), memory_bytes=64 * MIB)
    execute(language, TRIVIAL[language], limits)
    before, peak = resident_bytes(), 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.001):
            peak = max(peak, resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = execute(language, MEMORY[language], limits)
    done.set()
    watcher.join()
    ended = result.failure.code.value if result.failure else "completed"
    return f"+{(peak - before) / MIB:.1f} MiB, {ended}"
