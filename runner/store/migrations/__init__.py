"""Alembic's environment; `runner.store.migrate` runs it."""
