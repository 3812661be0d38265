"""Databases with the newest schema: a process migrates one of each kind, and tests get copies of it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from runner.store import Store, migrate
from tests.postgres import new_database


def migrated_file(path: Path) -> Path:
    """Makes `path`, an SQLite database."""
    shutil.copyfile(_file(), path)
    return path


def migrated_database() -> str:
    """The URL of a new PostgreSQL database; skips the test where there is no server."""
    return new_database(template=_database())


@cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="actionbox-schema-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "actionbox.db"
    _migrate(f"sqlite:///{path}")
    return path


@cache
def _database() -> str:
    url = new_database()
    _migrate(url)
    return url.rpartition("/")[2]


def _migrate(url: str) -> None:
    store = Store.open(url)
    migrate.upgrade(store)
    store.close()
