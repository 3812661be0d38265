"""Jobs by whose turn it is."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("jobs_by_turn", "jobs", ["kind", "state", "tenant_id", "next_at"])


def downgrade() -> None:
    op.drop_index("jobs_by_turn", "jobs")
