"""Rollouts, what they count and decide; the hosts that versions ask; the arms of suspended flows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
_ACTIVE = sa.text("state in ('running', 'paused')")
_COUNTS = ("failed", "denied", "suspended", "costly")


def upgrade() -> None:
    op.create_table(
        "rollouts",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("trigger_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("control_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_revision", sa.Integer(), nullable=True),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("stage_began_at", Moment(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("first_segment", sa.Integer(), nullable=False),
        sa.Column("watch", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("cleaned", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name="rollouts_action",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "rollouts_one_active",
        "rollouts",
        ["tenant_id", "action_id"],
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
    op.create_index("rollouts_by_action", "rollouts", ["tenant_id", "action_id", "created_at"])
    op.create_index("rollouts_at_work", "rollouts", ["cleaned", "state"])
    op.create_table(
        "rollout_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("rollout_id", sa.String(length=64), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(length=32), nullable=False),
        sa.Column("kind_of_user", sa.String(length=80), nullable=False),
        sa.Column("user_digest", sa.String(length=32), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("cost_ms", sa.Float(), nullable=True),
        sa.Column("alarm", sa.String(length=32), nullable=True),
        sa.Column("hosts", sa.JSON(), nullable=True),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rollout_events_by_rollout", "rollout_events", ["tenant_id", "rollout_id", "id"])
    op.create_table(
        "rollout_counts",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("rollout_id", sa.String(length=64), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("kind_of_user", sa.String(length=80), nullable=False),
        sa.Column("arm", sa.String(length=32), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        *(sa.Column(f"{name}_users", sa.Integer(), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("tenant_id", "rollout_id", "segment", "kind_of_user", "arm"),
    )
    op.create_table(
        "rollout_seen",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("rollout_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("user_digest", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rollout_id", "kind", "user_digest"),
    )
    op.create_table(
        "rollout_decisions",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("rollout_id", sa.String(length=64), nullable=False),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("action_name", sa.String(length=255), nullable=False),
        sa.Column("trigger_id", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("rollout_decisions_by_time", "rollout_decisions", ["tenant_id", "at", "id"])
    op.create_index("rollout_decisions_by_rollout", "rollout_decisions", ["tenant_id", "rollout_id", "at"])
    op.create_table(
        "version_hosts",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "version_id", "host"),
    )
    op.add_column("suspensions", sa.Column("arms", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("suspensions") as batch_op:
        batch_op.drop_column("arms")
    for table in ("version_hosts", "rollout_decisions", "rollout_seen", "rollout_counts", "rollout_events"):
        op.drop_table(table)
    op.drop_table("rollouts")
