"""OpenTelemetry spans of flows and Actions.

Without a tracer provider (which the operator configures, for example by `opentelemetry-instrument actionbox
serve`) the api's own no-op ones cost next to nothing.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runner.model.outcome import FlowOutcome, Status, VersionRecord

_tracer: Final = trace.get_tracer("actionbox")
_propagator: Final = TraceContextTextMapPropagator()
_NANO: Final = 1_000_000_000


def context_of(traceparent: str | None) -> Context | None:
    """The caller's trace (W3C trace context); None begins a new one."""
    return None if traceparent is None else _propagator.extract({"traceparent": traceparent})


def trace_flow(outcome: FlowOutcome, parent: Context | None) -> None:
    """Record a leg that has ended, with a span for each Action that ran. No text of a tenant is in them."""
    began = int(outcome.timing.started_at * _NANO)
    span = _tracer.start_span(
        f"actionbox {outcome.trigger.id}",
        parent,
        SpanKind.SERVER,
        {
            "actionbox.tenant": outcome.tenant,
            "actionbox.trigger": outcome.trigger.id,
            "actionbox.execution_id": outcome.execution_id,
            "actionbox.leg": outcome.leg,
            "actionbox.decision": outcome.decision.value,
        },
        start_time=began,
    )
    if outcome.failure is not None:
        span.set_status(StatusCode.ERROR, outcome.failure.code.value)
    inside = trace.set_span_in_context(span, parent)
    at = began
    for action in outcome.actions:
        if action.status is Status.SKIPPED or action.statistics is None:
            continue
        facts = {
            "actionbox.action": action.name,
            "actionbox.language": action.language.value,
            "actionbox.status": action.status.value,
            "actionbox.cpu_ms": action.statistics.cpu_ms,
            "actionbox.peak_memory_bytes": action.statistics.peak_memory_bytes,
            **_version(action.version),
        }
        inner = _tracer.start_span(f"action {action.name}", inside, attributes=facts, start_time=at)
        if action.failure is not None:
            inner.set_status(StatusCode.ERROR, action.failure.code.value)
        at += int(action.statistics.wall_ms * 1_000_000)
        inner.end(at)
    span.end(began + int(outcome.timing.wall_ms * 1_000_000))


def _version(version: VersionRecord | None) -> dict[str, str | int]:
    if version is None:
        return {}
    facts = {
        "actionbox.version_id": version.id,
        "actionbox.version": version.number,
        "actionbox.rollout_id": version.rollout_id,
        "actionbox.arm": version.arm,
        "actionbox.arm_reason": version.reason,
    }
    return {name: value for name, value in facts.items() if value is not None}
