"""Executions that are on record before they have run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from runner.store.tables.runs import ExecutionRow

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def pending_row(
    tenant: str, execution_id: str, trigger: str, traceparent: str | None, kept: timedelta
) -> ExecutionRow:
    """An execution of which no leg has ended."""
    return ExecutionRow(
        tenant_id=tenant,
        id=execution_id,
        trigger_id=trigger,
        status="pending",
        results=[],
        trace_id=trace_id_of(traceparent),
        expires_at=datetime.now(UTC) + kept,
    )


def trace_id_of(traceparent: str | None) -> str | None:
    """The caller's trace id, for the execution's record; None unless `traceparent` is well-formed."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found else None
