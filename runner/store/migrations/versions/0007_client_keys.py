"""Public keys of clients, and the assertions they have used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_keys",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["api_clients.tenant_id", "api_clients.id"], name="client_keys_client"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", "client_id"),
    )
    op.create_index("client_keys_by_client", "client_keys", ["client_id"])
    op.create_table(
        "used_assertions",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "digest"),
    )
    op.create_index("used_assertions_by_end", "used_assertions", ["expires_at"])


def downgrade() -> None:
    op.drop_table("used_assertions")
    op.drop_table("client_keys")
