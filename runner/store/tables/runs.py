"""Tables of what runs: executions, suspended flows, jobs, idempotency keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base, Moment, Owned, Stamped

SHORT = String(32)
READY: Final = "ready"
RUNNING: Final = "running"
DONE: Final = "done"
DEAD: Final = "dead"
"""States of a job."""


USUAL_DECISION: Final = "allow"
USUAL_STATUS: Final = "final"
UNUSUAL_DECISION: Final = f"decision <> '{USUAL_DECISION}'"
UNUSUAL_STATUS: Final = f"status <> '{USUAL_STATUS}'"
"""Most executions end in the usual way: they are not in the indexes of the others, and cost nothing there. A
query that is to use one of those says this in the same words."""


def _partial(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class ExecutionRow(Base, Owned, Stamped):
    """One flow over all its legs and attempts.

    Attributes:
        status: as the Management API has it: `pending`, `final`, `partial`, `canceled`, `suspended`.
        decision: of the last leg; None while it is pending.
        results: per Action `{"action_name", "action_id", "version_id", "error"?, "started_at", "ended_at",
            "logs", "statistics"}`.
        outcome: the last leg's `FlowOutcome` as JSON text, redacted, without what a resume needs.
        hook: of an execution that a hook of an identity provider called for: `{"provider", "hook", "result"?,
            "dropped"?}`; None for others.
        record: why a record of it is kept, or why not, and by which policy, see `runner.records.states`; None
            when no Action ran, and for what an earlier release recorded.
        expires_at: when the cleaner may delete it.
    """

    __tablename__ = "executions"
    __table_args__ = (
        Index("executions_by_time", "tenant_id", "created_at"),
        Index("executions_by_trigger", "tenant_id", "trigger_id", "created_at"),
        Index("executions_by_end", "expires_at"),
        Index("executions_by_change", "tenant_id", "updated_at"),
        Index("executions_by_kind", "tenant_id", "trigger_id", "decision", "updated_at"),
        _partial("executions_by_decision", "tenant_id", "decision", "created_at", where=UNUSUAL_DECISION),
        _partial("executions_by_status", "tenant_id", "status", "created_at", where=UNUSUAL_STATUS),
    )

    trigger_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(SHORT)
    decision: Mapped[str | None] = mapped_column(SHORT, default=None)
    results: Mapped[list[Any]] = mapped_column(default=list)
    outcome: Mapped[str | None] = mapped_column(Text, default=None)
    trace_id: Mapped[str | None] = mapped_column(String(64), default=None)
    hook: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    record: Mapped[str | None] = mapped_column(String(128), default=None)
    expires_at: Mapped[datetime]


class ExecutionAction(Base):
    """The Actions of an execution, to find it by.

    Attributes:
        position: index in the execution's results.
        recorded_at: None for what an earlier release recorded.
        created_at: of the execution; None for what an earlier release recorded.
    """

    __tablename__ = "execution_actions"
    __table_args__ = (
        Index("execution_actions_by_time", "tenant_id", "action_name", "created_at", "execution_id"),
        Index(
            "execution_actions_failed",
            "tenant_id",
            "recorded_at",
            sqlite_where=text("failed = 1"),
            postgresql_where=text("failed"),
        ),
    )

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    action_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    failed: Mapped[bool] = mapped_column(default=False)
    recorded_at: Mapped[datetime | None] = mapped_column(Moment, default=None)
    created_at: Mapped[datetime | None] = mapped_column(Moment, default=None)


class SuspensionRow(Base):
    """A flow that waits, or did: a used handle is remembered until it would have expired.

    Attributes:
        key: `runner.suspension.stores.store_key` of tenant and handle.
        text: None once it was taken.
        versions: ids of the versions that it is pinned to, in order.
        record: of the execution, as it was when it was suspended.
        arms: of each of them, the members of `runner.model.arms.Assigned`, or None; None for none at all.
    """

    __tablename__ = "suspensions"
    __table_args__ = (Index("suspensions_by_end", "expires_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    text: Mapped[str | None] = mapped_column(Text)
    versions: Mapped[list[Any]] = mapped_column(default=list)
    record: Mapped[str | None] = mapped_column(String(128), default=None)
    arms: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    expires_at: Mapped[datetime]


class JobRow(Base, Owned, Stamped):
    """Work that was acknowledged and is not done (an outbox): written in the transaction that caused it.

    Attributes:
        kind: `flow` (an asynchronous trigger), `notification` (a retry that an Action asked for) `build`, or
            `package-build`.
        payload: what it needs, without secrets.
        execution_id: the same in every attempt; None for builds.
        state: `ready`, `running`, `done`, or `dead` (all attempts failed).
        next_at: not before.
        lease_owner, lease_until: of the worker that runs it; past `lease_until` it is taken for dead.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_state", "state", "next_at"),
        Index("jobs_by_age", "tenant_id", "state", "created_at"),
        Index("jobs_by_execution", "tenant_id", "execution_id"),
        Index("jobs_by_turn", "kind", "state", "tenant_id", "next_at"),
        Index("jobs_by_change", "state", "updated_at"),
    )

    kind: Mapped[str] = mapped_column(SHORT)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    execution_id: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    state: Mapped[str] = mapped_column(SHORT, default="ready")
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(ID_LENGTH), default=None)
    lease_until: Mapped[datetime | None] = mapped_column(Moment, default=None)
    last_error: Mapped[str | None] = mapped_column(Text, default=None)


class IdempotencyRow(Base):
    """A request that was answered: the same key with the same body gets the same answer.

    Attributes:
        key: SHA-256 over plane, path and the client's key.
        digest: SHA-256 of the body.
        status: HTTP status of the answer; 0 while the first request is still being answered.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_end", "expires_at"),)

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str | None] = mapped_column(Text, default=None)
    expires_at: Mapped[datetime]
