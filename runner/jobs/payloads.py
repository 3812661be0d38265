"""What jobs carry that run flows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def payload_of(trigger: str, body: Mapping[str, Any], traceparent: str | None) -> dict[str, Any]:
    """What a job needs to run a flow. `body`: an `InvokeBody` as JSON."""
    return {"trigger": trigger, "body": dict(body), "traceparent": traceparent}
