"""Payloads of jobs that run flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def payload_of(trigger: str, body: Mapping[str, Any], traceparent: str | None) -> dict[str, Any]:
    """The payload of a job that runs a flow. `body`: an `InvokeBody` as JSON."""
    return {"trigger": trigger, "body": dict(body), "traceparent": traceparent}
