"""Run by Alembic with the connection that `runner.store.migrate` opened."""

from __future__ import annotations

from alembic import context

from runner.store.sealed import kept_versions, key_checks
from runner.store.tables import client_keys, console, entities, models, records, rollouts, runs, shadows
from runner.store.tables.columns import Base

for module in (
    client_keys.ClientKeyRow,
    console.SessionRow,
    entities.TokenExchangeProfileRow,
    key_checks.KeyCheckRow,
    kept_versions.KeptVersionRow,
    models.ActionRow,
    records.RecordRow,
    rollouts.RolloutRow,
    runs.JobRow,
    shadows.ShadowRow,
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
