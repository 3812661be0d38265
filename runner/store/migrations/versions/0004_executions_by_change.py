"""Executions by when they were recorded last, for log streams."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("executions_by_change", "executions", ["tenant_id", "updated_at"])


def downgrade() -> None:
    op.drop_index("executions_by_change", "executions")
