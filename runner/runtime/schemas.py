"""Requests and responses of the runtime API, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from runner.http.answer_types import moment
from runner.http.queries import Absent
from runner.model.outcome import ActionRecord, Decision, FlowOutcome, LogRecord, Status
from runner.runtime.records.idempotency import MAX_KEY
from runner.store.resolved_flow import BoundVersion
from runner.store.tables.columns import ID_LENGTH
from runner.store.tables.entities import EventDeliveryRow
from runner.store.tables.runs import ExecutionRow

_MAX_RULES: Final = 100


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InvokeBody(_Body):
    """Body of `POST /runtime/v1/triggers/{trigger_id}/invoke`.

    Attributes:
        event: as the trigger's event model describes it; without secrets.
        action_id: the Action, for triggers that are bound to entities.
        executed_rules: ids for which `api.rules.wasExecuted` answers true.
    """

    event: dict[str, Any] = Field(repr=False)
    action_id: Annotated[str, Field(min_length=1, max_length=ID_LENGTH)] | None = None
    executed_rules: Annotated[tuple[str, ...], Field(max_length=_MAX_RULES)] = ()


class InvokeHeaders(BaseModel):
    """Headers of the same request.

    Attributes:
        idempotency_key: the same key with the same body gets the first answer again.
        traceparent: of the caller's trace (W3C trace context).
        prefer: with `server-timing` in it, the answer has a `Server-Timing` header (RFC 7240).
    """

    model_config = ConfigDict(frozen=True)

    idempotency_key: Annotated[str | Absent, Field(min_length=1, max_length=MAX_KEY)] = Field(
        default=None, alias="Idempotency-Key"
    )
    traceparent: Annotated[str | Absent, Field(max_length=128)] = None
    prefer: str | Absent = None


class ResumeBody(_Body):
    """Body of `POST /runtime/v1/resume`; which members, says docs/embedding.md."""

    handle: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
    request: dict[str, Any] | None = Field(default=None, repr=False)
    prompt: dict[str, Any] | None = Field(default=None, repr=False)
    methods: list[dict[str, Any]] | None = None
    enrolled: list[dict[str, Any]] | None = None


class Accepted(_Body):
    """Answer 202: stored, and run later."""

    execution_id: str
    status: str = "pending"


class AcceptedDelivery(_Body):
    """An event on its way to a stream, under an execution id of its own."""

    event_stream_id: str
    event_id: str
    execution_id: str


class AcceptedEvent(Accepted):
    """Answer 202 to an event for streams: `final` with no deliveries when no stream wants it. `execution_id`:
    of the first delivery, else of the record that says so."""

    deliveries: tuple[AcceptedDelivery, ...]


def accepted_event(execution_id: str, made: Sequence[EventDeliveryRow]) -> AcceptedEvent:
    """The answer for these deliveries; `execution_id`: of the record when there is none."""
    deliveries = tuple(
        AcceptedDelivery(event_stream_id=row.stream_id, event_id=row.event_id, execution_id=row.execution_id)
        for row in made
    )
    return AcceptedEvent(
        execution_id=deliveries[0].execution_id if deliveries else execution_id,
        status="pending" if deliveries else "final",
        deliveries=deliveries,
    )


def status_of(outcome: FlowOutcome) -> str:
    """The status of an execution in the words of the Management API (reference/management-api.md section 4).
    `partial`: an Action failed and the flow went on."""
    if outcome.decision is Decision.SUSPENDED:
        return "suspended"
    failed = any(action.status is Status.FAILED for action in outcome.actions)
    return "partial" if failed and outcome.decision is Decision.ALLOW else "final"


def results_of(outcome: FlowOutcome, versions: Sequence[BoundVersion]) -> list[dict[str, Any]]:
    """Of each Action that ran in this leg: what it was, its times, error, console output and statistics."""
    at = outcome.timing.started_at
    found = []
    for action, version in zip(outcome.actions, versions, strict=False):
        if action.status is Status.SKIPPED:
            continue
        wall = action.statistics.wall_ms if action.statistics is not None else 0.0
        found.append(_result(action, version, at, wall))
        at += wall / 1000
    return found


_LOGS: Final = TypeAdapter(tuple[LogRecord, ...])
"""All lines at once: one by one they take six times as long."""


def _result(action: ActionRecord, version: BoundVersion, at: float, wall_ms: float) -> dict[str, Any]:
    result: dict[str, Any] = {
        "action_name": version.action_name,
        "action_id": version.action_id,
        "version_id": version.version_id,
        **({} if version.number is None else {"version_number": version.number}),
        **(
            {}
            if (chosen := version.assigned) is None
            else {"rollout_id": chosen.rollout_id, "arm": chosen.arm, "arm_reason": chosen.reason}
        ),
        **({"binding_id": version.binding_id} if version.binding_id else {}),
        "status": action.status.value,
        "started_at": moment(datetime.fromtimestamp(at, UTC)),
        "ended_at": moment(datetime.fromtimestamp(at + wall_ms / 1000, UTC)),
        "logs": _LOGS.dump_python(action.logs, mode="json"),
    }
    if action.failure is not None:
        failure = action.failure
        place = "" if failure.place is None else f" ({failure.place.file}:{failure.place.line})"
        result["error"] = {"id": failure.code.value, "msg": failure.message + place}
        result["failure"] = {
            "name": failure.error_name or "Error",
            "message": failure.message,
            "stack": [f"at {frame.function} ({frame.file}:{frame.line})" for frame in failure.stack],
        }
    if action.statistics is not None:
        statistics = action.statistics
        result["statistics"] = {
            "wall_ms": round(statistics.wall_ms, 3),
            "cpu_ms": round(statistics.cpu_ms, 3),
            "peak_memory_bytes": statistics.peak_memory_bytes,
            "host_calls": statistics.host_calls,
        }
    return result


def execution(row: ExecutionRow) -> dict[str, Any]:
    """An execution as lists and streams show it."""
    return {
        "id": row.id,
        "trigger_id": row.trigger_id,
        "status": row.status,
        "decision": row.decision,
        "results": row.results,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        **({"trace_id": row.trace_id} if row.trace_id else {}),
        **({"hook": row.hook} if row.hook else {}),
    }
