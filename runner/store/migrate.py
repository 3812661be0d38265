"""The schema of the database, up and down, by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from runner.store.database.engine import Store, StoreError

HEAD: Final = "head"
BASE: Final = "base"
_LOCK: Final = 0x616374696F6E626F
"""Advisory lock of PostgreSQL that keeps two replicas from migrating at once."""


def upgrade(store: Store, revision: str = HEAD) -> None:
    """Bring the schema to `revision`. Two processes may call this at once.

    Raises:
        StoreError: the schema is newer than this release.
    """
    with store.engine.connect() as connection:
        _lock(store, connection)
        known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
        now = MigrationContext.configure(connection).get_current_revision()
        if now is not None and now not in known:
            raise StoreError(
                f"the database has schema {now}, which this release does not know; use a newer one"
            )
        command.upgrade(_config(connection), revision)
        connection.commit()


def downgrade(store: Store, revision: str = BASE) -> None:
    """Bring the schema back to `revision`; `base` removes everything."""
    with store.engine.connect() as connection:
        _lock(store, connection)
        command.downgrade(_config(connection), revision)
        connection.commit()


def current(store: Store) -> str | None:
    """The revision of the schema, None for an empty database."""
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _lock(store: Store, connection: Connection) -> None:
    if store.is_sqlite:
        connection.execute(text("begin immediate"))
    else:
        for name in (
            "statement_timeout",
            "lock_timeout",
        ):  # a migration takes its time, and others wait for it
            connection.execute(text(f"set local {name} = 0"))
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
