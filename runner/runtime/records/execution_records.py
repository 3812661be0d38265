"""The record of a leg: what it did to its execution, in the words of the Management API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Table, inspect
from sqlalchemy.orm import Session

from runner.model.outcome import FlowOutcome
from runner.records.states import RecordState
from runner.runtime.records.group_commit import Rows
from runner.runtime.schemas import execution, results_of, status_of
from runner.store.executions import pending_row, trace_id_of
from runner.store.resolved_flow import BoundVersion
from runner.store.tables.runs import ExecutionAction, ExecutionRow


def _table(model: type[Any]) -> Table:
    found = inspect(model).local_table
    assert isinstance(found, Table)
    return found


_EXECUTIONS: Final = _table(ExecutionRow).insert()
_ACTIONS: Final = _table(ExecutionAction).insert()


@dataclass(frozen=True, slots=True)
class LegRecord:
    """One leg that has ended.

    Attributes:
        kept: how long its execution stays.
        first: no execution of its id is on record. Most legs are: their rows are inserted without the
            session's bookkeeping, which takes several times as long.
        hook: see `ExecutionRow.hook`; only of a first leg.
        record: see `ExecutionRow.record`.
    """

    tenant: str
    outcome: FlowOutcome
    results: list[dict[str, Any]]
    stored: str
    traceparent: str | None
    kept: timedelta
    first: bool
    at: datetime
    hook: dict[str, Any] | None = None
    record: RecordState | None = None

    @classmethod
    def of(
        cls,
        tenant: str,
        outcome: FlowOutcome,
        versions: Sequence[BoundVersion],
        traceparent: str | None,
        kept: timedelta,
        *,
        first: bool,
        text: str | None = None,
        hook: dict[str, Any] | None = None,
        record: RecordState | None = None,
    ) -> LegRecord:
        """Of a leg of `versions`. `text`: the outcome as JSON, if it is at hand."""
        stored = text if text is not None and _is_stored_whole(outcome) else _stored(outcome)
        results = results_of(outcome, versions)
        at = datetime.now(UTC)
        return cls(tenant, outcome, results, stored, traceparent, kept, first, at, hook, record)

    def rows(self) -> Rows:
        """The rows of a first leg; nothing of a further one, which `extend` writes."""
        if not self.first:
            return {}
        return {_EXECUTIONS: [self._values()], _ACTIONS: self._actions(0, self.at, self.at)}

    def _values(self) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant,
            "id": self.outcome.execution_id,
            "trigger_id": self.outcome.trigger.id,
            "status": status_of(self.outcome),
            "decision": self.outcome.decision.value,
            "results": self.results,
            "outcome": self.stored,
            "trace_id": trace_id_of(self.traceparent),
            "hook": self.hook,
            "record": None if self.record is None else self.record.text,
            "created_at": self.at,
            "updated_at": self.at,
            "expires_at": self.at + self.kept,
        }

    def shown(self) -> dict[str, Any]:
        """The execution of a first leg as lists and streams show it."""
        return execution(ExecutionRow(**self._values()))

    def extend(self, session: Session) -> dict[str, Any]:
        """Write a further leg; the execution as lists and streams show it."""
        row = session.get(ExecutionRow, (self.tenant, self.outcome.execution_id))
        if row is None:
            row = pending_row(
                self.tenant, self.outcome.execution_id, self.outcome.trigger.id, self.traceparent, self.kept
            )
            session.add(row)
        before = row.results or []
        row.status = status_of(self.outcome)
        row.decision = self.outcome.decision.value
        row.results = [*before, *self.results]
        row.outcome = self.stored
        if self.record is not None:
            row.record = self.record.after(RecordState.read(row.record)).text
        row.updated_at = datetime.now(UTC)
        session.flush()
        if self.results:
            session.connection().execute(_ACTIONS, self._actions(len(before), row.updated_at, row.created_at))
        return execution(row)

    def _actions(self, first: int, now: datetime, created: datetime) -> list[dict[str, Any]]:
        return [
            {
                "tenant_id": self.tenant,
                "execution_id": self.outcome.execution_id,
                "position": position,
                "action_id": result["action_id"],
                "action_name": result["action_name"],
                "failed": "error" in result,
                "recorded_at": now,
                "created_at": created,
            }
            for position, result in enumerate(self.results, first)
        ]


def _is_stored_whole(outcome: FlowOutcome) -> bool:
    return outcome.suspension is None and not any(action.logs for action in outcome.actions)


def _stored(outcome: FlowOutcome) -> str:
    """The outcome for the record: without what would resume the flow, and without console output, which is
    in the results."""
    suspension = outcome.suspension
    if suspension is not None:
        suspension = suspension.model_copy(update={"handle": "", "state": "", "url": None})
    actions = tuple(action.model_copy(update={"logs": ()}) for action in outcome.actions)
    return outcome.model_copy(update={"suspension": suspension, "actions": actions}).to_json()
