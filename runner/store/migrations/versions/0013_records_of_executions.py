"""Records of executions, which of them are kept, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.tables.columns import Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("executions", "record", 128),
    ("suspensions", "record", 128),
    ("bindings", "record", 64),
)


def upgrade() -> None:
    op.create_table(
        "execution_records",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("trigger_id", sa.String(length=64), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.String(length=32), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("gone", sa.String(length=32), nullable=True),
        sa.Column("fidelity", sa.JSON(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    for name, columns in (
        ("execution", ["tenant_id", "execution_id", "created_at"]),
        ("trigger", ["tenant_id", "trigger_id", "created_at"]),
        ("age", ["tenant_id", "created_at"]),
        ("end", ["expires_at"]),
        ("key", ["key_id"]),
        ("flow", ["tenant_id", "flow"]),
    ):
        op.create_index(f"execution_records_by_{name}", "execution_records", columns)
    op.create_table(
        "record_flows",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "digest"),
    )
    op.create_index("record_flows_by_use", "record_flows", ["used_at"])
    op.create_table(
        "record_subjects",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "subject", "execution_id"),
    )
    op.create_index("record_subjects_by_end", "record_subjects", ["expires_at"])
    op.create_table(
        "record_words",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.add_column("audit", sa.Column("reason", sa.Text(), nullable=True))
    for table, column, length in _COLUMNS:
        op.add_column(table, sa.Column(column, sa.String(length=length), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_column("reason")
    for table, column, _ in _COLUMNS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column(column)
    for table in ("record_words", "record_subjects", "record_flows", "execution_records"):
        op.drop_table(table)
