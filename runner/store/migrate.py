"""The schema of the database, up and down, by Alembic."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
_PAUSE_SECONDS: Final = 0.2


def upgrade(store: Store, revision: str = HEAD) -> None:
    """Bring the schema to `revision`, at next to no cost if it is there. Two processes may call this at once.

    Raises:
        StoreError: the schema is newer than this release.
    """
    with store.engine.connect() as connection, _alone(store, connection):
        known = {script.revision for script in _scripts().walk_revisions()}
        now = MigrationContext.configure(connection).get_current_revision()
        if now is not None and now == (newest() if revision == HEAD else revision):
            return
        if now is not None and now not in known:
            raise StoreError(
                f"the database has schema {now}, which this release does not know; use a newer one"
            )
        if now is not None and not store.is_sqlite:
            connection.commit()
            _ahead(store, now, revision)
            _take_time(connection, "set local")
        command.upgrade(_config(connection), revision)
        connection.commit()


def downgrade(store: Store, revision: str = BASE) -> None:
    """Bring the schema back to `revision`; `base` removes everything."""
    with store.engine.connect() as connection, _alone(store, connection):
        command.downgrade(_config(connection), revision)
        connection.commit()


def current(store: Store) -> str | None:
    """The revision of the schema, None for an empty database."""
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision that this release needs."""
    return _scripts().get_current_head()


@cache
def _scripts() -> ScriptDirectory:
    """Those of this release, which take longer to load than all else if there is nothing to migrate."""
    return ScriptDirectory.from_config(_config())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(store: Store, connection: Connection) -> Iterator[None]:
    """The only migration of this database, for the block, in a transaction of `connection`."""
    if store.is_sqlite:
        connection.execute(text("begin immediate"))
        yield
        return
    # Asked for again and again: one that waited in the database would be a transaction in progress, and an
    # index that is made concurrently waits for all of those.
    while not connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}):
        connection.commit()
        time.sleep(_PAUSE_SECONDS)
    connection.commit()
    try:
        _take_time(connection, "set local")
        yield
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
        connection.commit()


def _take_time(connection: Connection, how: str) -> None:
    """A migration takes its time, and others wait for it."""
    for name in ("statement_timeout", "lock_timeout"):
        connection.execute(text(f"{how} {name} = 0"))


def _ahead(store: Store, now: str, revision: str) -> None:
    """What the migrations from `now` to `revision` do outside transactions, see
    `runner.store.migrations.ahead`."""
    scripts = _scripts().iterate_revisions(revision, now)
    found = [script.module.ahead for script in scripts if hasattr(script.module, "ahead")]
    if not found:
        return
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            _take_time(connection, "set")
            for ahead in reversed(found):
                ahead(connection)
        finally:
            connection.invalidate()  # its settings are not for others
