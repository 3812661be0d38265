"""One execution from request to result: begins and ends the port, measures, and decides what counts."""

from __future__ import annotations

import time
from dataclasses import replace

from sandbox.core.caps import MAX_EVENT_BYTES, Limits
from sandbox.core.failure import Failure, FailureCode, internal_failure
from sandbox.core.json_text import utf8_length
from sandbox.core.pace import ended
from sandbox.core.program import Program, Request
from sandbox.engine import Engine, EngineReport
from sandbox.port.interface import ExecutionPort
from sandbox.result import ExecutionResult, Statistics


def execute(
    engine: Engine, program: Program, request: Request, limits: Limits, port: ExecutionPort
) -> ExecutionResult:
    """Run `program` once. Never raises: whatever goes wrong is the result's failure.

    The time limit starts here and holds until the engine returns.
    """
    wall, cpu = time.perf_counter(), time.thread_time()
    port.begin(time.monotonic() + limits.wall_ms / 1000)
    report = _run(engine, program, request, limits, port)
    ended()
    # A fatal failure outranks what the guest reports; what only shows at the end does not.
    failure = port.fatal or report.failure
    port.end()
    statistics = Statistics(
        wall_ms=(time.perf_counter() - wall) * 1000,
        cpu_ms=(time.thread_time() - cpu) * 1000,
        peak_memory_bytes=report.peak_memory_bytes,
        host_calls=port.host_calls,
    )
    return _result(failure or port.fatal, statistics, port)


def _run(
    engine: Engine, program: Program, request: Request, limits: Limits, port: ExecutionPort
) -> EngineReport:
    if utf8_length(request.event) > MAX_EVENT_BYTES:
        return EngineReport(_event_too_large(), 0)
    try:
        return engine.run(program, request, limits, port)
    except Exception as error:  # noqa: BLE001 - an engine must not raise; if it does, it is our fault
        return EngineReport(internal_failure("engine.run", error), 0)


def _event_too_large() -> Failure:
    return Failure(
        FailureCode.OUTPUT,
        f"The event is larger than {MAX_EVENT_BYTES} bytes of JSON.",
        next_step="Send a smaller event.",
        detail={"limit": "event_bytes", "value": MAX_EVENT_BYTES},
    )


def _result(failure: Failure | None, statistics: Statistics, port: ExecutionPort) -> ExecutionResult:
    return ExecutionResult(
        failure=failure,
        commands=port.commands if failure is None else (),
        logs=port.logs,
        logs_cut_bytes=port.logs_cut_bytes,
        statistics=statistics,
        journal=replace(port.journal, outcome=None if failure is None else str(failure.code)),
    )
