"""Actions that failed, by the time of the record, for the tenant's log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "execution_actions", sa.Column("failed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("execution_actions", sa.Column("recorded_at", Moment(), nullable=True))
    op.create_index(
        "execution_actions_failed",
        "execution_actions",
        ["tenant_id", "recorded_at"],
        sqlite_where=sa.text("failed = 1"),
        postgresql_where=sa.text("failed"),
    )


def downgrade() -> None:
    op.drop_index("execution_actions_failed", "execution_actions")
    with op.batch_alter_table("execution_actions") as batch_op:
        batch_op.drop_column("recorded_at")
        batch_op.drop_column("failed")
