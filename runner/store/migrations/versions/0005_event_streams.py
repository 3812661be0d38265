"""Event streams and deliveries to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_streams",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("subscriptions", sa.JSON(), nullable=False),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failures_in_a_row", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"], ["actions.tenant_id", "actions.id"], name="event_streams_action"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_table(
        "event_deliveries",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("stream_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("event_type", sa.String(length=255), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stream_id"],
            ["event_streams.tenant_id", "event_streams.id"],
            name="event_deliveries_stream",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "stream_id", "event_id"),
    )
    op.create_index("event_deliveries_by_execution", "event_deliveries", ["tenant_id", "execution_id"])
    op.create_index("event_deliveries_by_time", "event_deliveries", ["tenant_id", "stream_id", "created_at"])


def downgrade() -> None:
    op.drop_table("event_deliveries")
    op.drop_table("event_streams")
