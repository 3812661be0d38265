"""Token exchange profiles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token_exchange_profiles",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("subject_token_type", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("action_id", sa.String(length=64), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "action_id"],
            ["actions.tenant_id", "actions.id"],
            name="token_exchange_profiles_action",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "subject_token_type", name="token_exchange_profiles_type_unique"),
    )


def downgrade() -> None:
    op.drop_table("token_exchange_profiles")
