"""Spans of flows, in the caller's trace and without a tenant's text."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runner.flow.runner import Runner
from runner.model.action import Action
from runner.runtime import tracing
from sandbox.core.program import Language, Source
from sandbox.egress import NoEgress
from triggers import get_trigger

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


def test_a_leg_and_its_actions_are_spans_of_the_callers_trace(spans: InMemorySpanExporter) -> None:
    code = 'exports.onExecutePostLogin = async (event) => { console.log("hush"); throw new Error("hush"); };'
    action = Action("fails", Source(Language.JAVASCRIPT, "fails.js", code))
    event = get_trigger("post-login").example_event
    outcome = Runner(egress=NoEgress()).run("post-login", event, [action])
    tracing.trace_flow(outcome, tracing.context_of(f"00-{TRACE}-00f067aa0ba902b7-01"))
    inner, outer = spans.get_finished_spans()
    assert (outer.name, inner.name) == ("actionbox post-login", "action fails")
    assert f"{outer.context.trace_id:032x}" == TRACE
    assert outer.parent is not None
    assert outer.parent.span_id == 0x00F067AA0BA902B7
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert outer.attributes is not None
    assert outer.attributes["actionbox.decision"] == "failed"
    assert (outer.status.description, inner.status.description) == ("throw", "throw")
    assert "hush" not in outer.to_json() + inner.to_json()


@pytest.mark.parametrize("header", [None, "", "00-zz-1-01", "x" * 200, f"00-{'0' * 32}-{'0' * 16}-01"])
def test_a_header_that_says_nothing_begins_a_new_trace(
    spans: InMemorySpanExporter, header: str | None
) -> None:
    outcome = Runner(egress=NoEgress()).run(
        "post-login",
        get_trigger("post-login").example_event,
        [Action("a", Source(Language.JAVASCRIPT, "a.js", "exports.onExecutePostLogin = async () => {};"))],
    )
    tracing.trace_flow(outcome, tracing.context_of(header))
    assert all(span.context.trace_id for span in spans.get_finished_spans())
    assert spans.get_finished_spans()[-1].parent is None
