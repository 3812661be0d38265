"""Time until hostile Actions are stopped, and the memory that they cost the host."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Final

import sandbox
from bench.engine import instances
from bench.engine.hostile import MEMORY, hostile
from bench.engine.latency import TRIVIAL, RecordingApi, request
from bench.measure import private_bytes, resident_bytes
from bench.report import Figure, Report
from sandbox.core.caps import MIB, Limits
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress
from sandbox.port.live import LivePort
from sandbox.result import ExecutionResult

WALL_MS: Final = 1000


def execute(language: Language, text: str, limits: Limits) -> ExecutionResult:
    program = sandbox.build(Source(language, f"bench.{language}", text))
    return sandbox.run(program, request(), limits, LivePort(RecordingApi(), NoEgress(), limits))


def stops() -> Report:
    """Wall time of every hostile Action under a limit of one second."""
    rows = Report(
        f"Stops under a {WALL_MS} ms limit", ("language", "Action"), ("ended as", "stopped after", "target")
    )
    for language in Language:
        for name, text in hostile(language).items():
            start = time.perf_counter()
            result = execute(language, text, replace(Limits(), wall_ms=WALL_MS))
            took = (time.perf_counter() - start) * 1000
            ended = result.failure.code.value if result.failure else "completed"
            rows.add(language.value, name, ended, Figure(took, "ms", 0), f"<= {WALL_MS + 250} ms")
    return rows


def memory() -> Report:
    """Host memory: a flat line over many executions, and a hard stop at the limit."""
    rows = Report("Memory", ("language", "what"), ("measured", "ended as", "target"))
    for language in Language:
        first, *_, later = instances.measure(language)
        rows.add(language.value, "a live instance, private", _mib(first))
        rows.add(language.value, "a live instance, private, in used memory", _mib(later))
        rows.add(language.value, "5,000 executions, growth of the host", _growth(language), "", "<= 4 MiB")
        over, ended = _over(language)
        rows.add(language.value, "Action over a 64 MiB limit", over, ended, "<= 80 MiB, memory")
    return rows


def _mib(count: float) -> Figure:
    """`count` bytes."""
    return Figure(count / MIB, "MiB")


def _growth(language: Language) -> Figure:
    program = sandbox.build(Source(language, "bench", TRIVIAL[language]))
    limits, what = Limits(), request()

    def many(count: int) -> None:
        for _ in range(count):
            sandbox.run(program, what, limits, LivePort(RecordingApi(), NoEgress(), limits))

    many(300)
    before = private_bytes()
    many(5000)
    return _mib(private_bytes() - before)


def _over(language: Language) -> tuple[Figure, str]:
    """Memory that it took at its peak, and as what it failed."""
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
    return _mib(peak - before), ended
