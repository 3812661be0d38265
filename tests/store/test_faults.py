"""A database that cannot be used is told from a statement that is wrong, and holds nobody up for long."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runner.store import Store, migrate
from runner.store.database import engine
from runner.store.database.faults import is_unavailable
from runner.store.database.health import NO_WRITES, trouble
from runner.store.tables.models import Tenant
from tests.postgres import new_database


def test_a_writer_waits_for_others_only_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_TURN_SECONDS", 0.1)
    store = Store.open(f"sqlite:///{tmp_path}/actionbox.db")
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with store.begin():
            begun.set()
            go_on.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(20)
    with pytest.raises(PoolTimeoutError) as caught, store.begin():
        pass
    assert is_unavailable(caught.value)
    go_on.set()
    holder.join()
    with store.begin():
        pass
    store.close()


def test_what_is_wrong_with_a_statement_is_no_fault_of_the_database(store: Store) -> None:
    with store.begin() as session:
        session.add(Tenant(id="t", name="t"))
    with pytest.raises(IntegrityError) as twice, store.begin() as session:
        session.add(Tenant(id="t", name="t"))
    assert not is_unavailable(twice.value)
    if not store.is_sqlite:
        with pytest.raises(ProgrammingError) as unknown, store.begin() as session:
            session.execute(text("select * from nothing_at_all"))
        assert not is_unavailable(unknown.value)
    assert not store.failing
    assert trouble(store) == ""


def test_one_that_takes_no_writes_is_noticed_and_noticed_to_recover(store: Store) -> None:
    """With the database's own words for it: SQLite's `query_only`, PostgreSQL's read-only transactions."""
    statement = "pragma query_only = {}" if store.is_sqlite else "set default_transaction_read_only = {}"

    def everywhere(value: str) -> None:
        store.engine.dispose()
        with store.engine.connect() as connection:
            connection.execute(text(statement.format(value)))
            connection.commit()

    everywhere("on")
    with pytest.raises(Exception, match=r"(?i)read-?only") as caught, store.begin() as session:
        session.add(Tenant(id="u", name="u"))
    assert is_unavailable(caught.value)
    with contextlib.suppress(OperationalError), store.begin():
        pass
    assert store.failing, "one that writes nothing proves nothing"
    assert trouble(store) == NO_WRITES
    everywhere("off")
    assert trouble(store) == ""
    with store.begin() as session:
        session.add(Tenant(id="u", name="u"))


def test_a_statement_that_takes_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine._PATIENCE, "statement_timeout", 200)
    store = Store.open(new_database())
    with pytest.raises(OperationalError, match="statement timeout") as caught, store.begin() as session:
        session.execute(text("select pg_sleep(20)"))
    assert is_unavailable(caught.value)
    migrate.upgrade(store)
    store.close()
