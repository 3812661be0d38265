"""Run by Alembic with the connection that `runner.store.migrate` opened."""

from __future__ import annotations

from alembic import context

from runner.store import entities, models, runs
from runner.store.columns import Base

assert models.ActionRow.metadata is runs.JobRow.metadata is entities.TokenExchangeProfileRow.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,
    transaction_per_migration=False,
)
context.run_migrations()
