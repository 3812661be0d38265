"""Tables of rollouts: what was asked, what happened, what was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from runner.store.tables.columns import ID_LENGTH, NAME_LENGTH, Base, Moment, Owned, Stamped, now

SHORT = String(32)
RUNNING: Final = "running"
PAUSED: Final = "paused"
PROMOTED: Final = "promoted"
ROLLED_BACK: Final = "rolled_back"
ABORTED: Final = "aborted"
ACTIVE: Final = (RUNNING, PAUSED)
_ACTIVE: Final = "state in ('running', 'paused')"
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
GROUP_LENGTH: Final = 80


class RolloutRow(Base, Owned, Stamped):
    """A rollout of one Action.

    Attributes:
        id: `rol_…`.
        state: `running`, `paused`, `promoted`, `rolled_back` or `aborted`.
        plan: `runner.rollouts.plan.RolloutPlan` as JSON.
        control_id, candidate_id: versions.
        candidate_revision: of the draft that the candidate was made of; None for a copy of a version.
        stage: index in the plan.
        stage_began_at: its hours count from here; they do not while the rollout is paused.
        segments: `[{"stage", "percent", "from"}]`, one more whenever the share changes or the statistics
            begin anew; an event counts for the one in which its arm was chosen. `percent`: 0 while no event
            gets the candidate.
        first_segment: the first one that the guards look at.
        watch: what the guards know beside the counts, see `runner.rollouts.counts.Watch`.
        reason: why it is in its state, for people.
        paused_at: None while it is not paused.
        cleaned: it has ended, and what only a running one needs is gone.
    """

    __tablename__ = "rollouts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name="rollouts_action",
            ondelete="CASCADE",
        ),
        Index(
            "rollouts_one_active",
            "tenant_id",
            "action_id",
            unique=True,
            sqlite_where=text(_ACTIVE),
            postgresql_where=text(_ACTIVE),
        ),
        Index("rollouts_by_action", "tenant_id", "action_id", "created_at"),
        Index("rollouts_at_work", "cleaned", "state"),
    )

    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    trigger_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(SHORT, default=RUNNING)
    plan: Mapped[dict[str, Any]]
    control_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    candidate_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    candidate_revision: Mapped[int | None] = mapped_column(default=None)
    stage: Mapped[int] = mapped_column(default=0)
    stage_began_at: Mapped[datetime] = mapped_column(default=now)
    segments: Mapped[list[Any]] = mapped_column(default=list)
    first_segment: Mapped[int] = mapped_column(default=0)
    watch: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(Text, default="")
    paused_at: Mapped[datetime | None] = mapped_column(Moment, default=None)
    ended_at: Mapped[datetime | None] = mapped_column(Moment, default=None)
    cleaned: Mapped[bool] = mapped_column(default=False)


class RolloutEventRow(Base):
    """What a leg left for the counts, written with its record and gone once it is counted.

    Attributes:
        first: it began in this leg; further legs add only what they came to.
        cost_ms: processor time; None where it says nothing (it was compiled first, or did not run).
        alarm: `death` or `lockout`, else None.
        hosts: that it asked.
    """

    __tablename__ = "rollout_events"
    __table_args__ = (Index("rollout_events_by_rollout", "tenant_id", "rollout_id", "id"),)

    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True, autoincrement=True)
    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    rollout_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    segment: Mapped[int]
    arm: Mapped[str] = mapped_column(SHORT)
    group: Mapped[str] = mapped_column("kind_of_user", String(GROUP_LENGTH))
    user: Mapped[str] = mapped_column("user_digest", String(32))
    first: Mapped[bool] = mapped_column("is_first")
    failed: Mapped[bool]
    denied: Mapped[bool]
    suspended: Mapped[bool]
    cost_ms: Mapped[float | None] = mapped_column(default=None)
    alarm: Mapped[str | None] = mapped_column(SHORT, default=None)
    hosts: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    execution_id: Mapped[str] = mapped_column(String(ID_LENGTH))


class RolloutCountRow(Base):
    """Counts of one segment, group and arm. `…_users`: the same, with each user once over all segments: what
    the statistics compare, because one who comes again is no new draw."""

    __tablename__ = "rollout_counts"

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    rollout_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    segment: Mapped[int] = mapped_column(primary_key=True)
    group: Mapped[str] = mapped_column("kind_of_user", String(GROUP_LENGTH), primary_key=True)
    arm: Mapped[str] = mapped_column(SHORT, primary_key=True)
    events: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    denied: Mapped[int] = mapped_column(default=0)
    suspended: Mapped[int] = mapped_column(default=0)
    costly: Mapped[int] = mapped_column(default=0)
    failed_users: Mapped[int] = mapped_column(default=0)
    denied_users: Mapped[int] = mapped_column(default=0)
    suspended_users: Mapped[int] = mapped_column(default=0)
    costly_users: Mapped[int] = mapped_column(default=0)


class RolloutSeenRow(Base):
    """A user whose event of a kind was counted; gone when the rollout ends."""

    __tablename__ = "rollout_seen"

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    rollout_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(SHORT, primary_key=True)
    user: Mapped[str] = mapped_column("user_digest", String(32), primary_key=True)


class RolloutDecisionRow(Base):
    """A decision on a rollout, with its evidence; rows are only ever added.

    Attributes:
        id: `rod_…`.
        decision: `start`, `stage`, `pause`, `resume`, `promote`, `rollback` or `abort`.
        actor: client id of the token; `service` for its own decisions.
        stage: index in which the rollout is after it.
        action_name: as the Action was called then.
    """

    __tablename__ = "rollout_decisions"
    __table_args__ = (
        Index("rollout_decisions_by_time", "tenant_id", "at", "id"),
        Index("rollout_decisions_by_rollout", "tenant_id", "rollout_id", "at"),
    )

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    rollout_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    action_id: Mapped[str] = mapped_column(String(ID_LENGTH))
    action_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    trigger_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now)
    decision: Mapped[str] = mapped_column(SHORT)
    actor: Mapped[str] = mapped_column(String(ID_LENGTH))
    stage: Mapped[int]
    reason: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)


class VersionHostRow(Base):
    """A host that a version asked, since it is there."""

    __tablename__ = "version_hosts"

    tenant_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    version_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    host: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
