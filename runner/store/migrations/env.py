"""Run by Alembic with the connection that `runner.store.migrate` opened."""

from __future__ import annotations

from alembic import context

from runner.store import clientkeys, entities, kept, keychecks, models, runs
from runner.store.columns import Base

for module in (
    clientkeys.ClientKeyRow,
    entities.TokenExchangeProfileRow,
    keychecks.KeyCheckRow,
    kept.KeptVersionRow,
    models.ActionRow,
    runs.JobRow,
):
    assert module.metadata is Base.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,
    transaction_per_migration=False,
)
context.run_migrations()
