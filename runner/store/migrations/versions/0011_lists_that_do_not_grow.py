"""Indexes with which lists, the log and the cleaner cost the same however many executions are on record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from runner.store.migrations.ahead import ahead_of
from runner.store.tables.columns import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_EXECUTIONS, _ACTIONS, _JOBS = "executions", "execution_actions", "jobs"
_NEW: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("executions_by_decision", _EXECUTIONS, ["tenant_id", "decision", "created_at"], "decision <> 'allow'"),
    ("executions_by_status", _EXECUTIONS, ["tenant_id", "status", "created_at"], "status <> 'final'"),
    ("executions_by_kind", _EXECUTIONS, ["tenant_id", "trigger_id", "decision", "updated_at"], None),
    ("execution_actions_by_time", _ACTIONS, ["tenant_id", "action_name", "created_at", "execution_id"], None),
    ("jobs_by_execution", _JOBS, ["tenant_id", "execution_id"], None),
    ("jobs_by_age", _JOBS, ["tenant_id", "state", "created_at"], None),
    ("jobs_by_change", _JOBS, ["state", "updated_at"], None),
)
_OLD = (
    ("execution_actions_by_name", _ACTIONS, ["tenant_id", "action_name"]),
    ("jobs_by_tenant", _JOBS, ["tenant_id", "state"]),
)


def ahead(connection: sa.Connection) -> None:
    """The same on PostgreSQL while others write, see `runner.store.migrations.ahead`."""
    connection.execute(
        sa.text("alter table execution_actions add column if not exists created_at timestamptz")
    )
    for name, table, columns, where in _NEW:
        ahead_of(connection, name, table, columns, where)


def upgrade() -> None:
    if "created_at" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(_ACTIONS)}:
        op.add_column(_ACTIONS, sa.Column("created_at", Moment(), nullable=True))
    for name, table, columns, where in _NEW:
        only = None if where is None else sa.text(where)
        op.create_index(name, table, columns, if_not_exists=True, sqlite_where=only, postgresql_where=only)
    for name, table, _ in _OLD:
        op.drop_index(name, table)


def downgrade() -> None:
    for name, table, columns in _OLD:
        op.create_index(name, table, columns)
    for name, table, _, _ in _NEW:
        op.drop_index(name, table)
    with op.batch_alter_table(_ACTIONS) as batch_op:
        batch_op.drop_column("created_at")
