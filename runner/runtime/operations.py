"""What each operation of the runtime API answers; see `runner.http.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runner.http.operations import Answer, Operation, ok
from runner.model.outcome import FlowOutcome
from runner.runtime import answers
from runner.runtime.schemas import Accepted, AcceptedEvent

_OUTCOME: Final = "The outcome of the flow."

OPERATIONS: Final[Mapping[str, Operation]] = {
    "POST /runtime/v1/triggers/{trigger_id}/invoke": Operation(
        (
            Answer(200, FlowOutcome, _OUTCOME),
            Answer(202, Accepted | AcceptedEvent, "The event is stored, and its Actions run later."),
        ),
        (409, 422),
    ),
    "POST /runtime/v1/resume": Operation(ok(FlowOutcome, _OUTCOME), (404, 410)),
    "GET /runtime/v1/executions": Operation(ok(answers.ExecutionItems, "A page of executions.")),
    "GET /runtime/v1/executions/{execution_id}": Operation(
        ok(answers.ExecutionRecord, "The execution with its last outcome and its jobs.")
    ),
    "GET /runtime/v1/logs/stream": Operation(
        (Answer(200, answers.Events, "The stream.", media="text/event-stream"),)
    ),
    "GET /runtime/v1/jobs": Operation(ok(answers.JobItems, "A page of jobs.")),
    "POST /runtime/v1/jobs/{job_id}/rerun": Operation((Answer(202, answers.Rerun, "It will run."),)),
}
