"""The schema goes up and down, is what the models say, and newer ones are refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, func, inspect, select, text

from runner.store import Store, StoreError, migrate
from runner.store.tables.columns import Base
from runner.store.tables.models import ActionRow
from runner.store.tables.runs import ExecutionRow
from tests.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return new_database() if request.param == "postgresql" else f"sqlite:///{tmp_path}/actionbox.db"


@pytest.fixture
def empty(nothing: str) -> Iterator[Store]:
    store = Store.open(nothing)
    yield store
    store.close()


def test_up_and_down_and_up_again(empty: Store) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest()
    assert "actions" in inspect(empty.engine).get_table_names()
    migrate.downgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.newest()


def test_the_schema_is_what_the_models_say(store: Store) -> None:
    assert ActionRow.metadata is Base.metadata
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_replicas_that_start_together_migrate_once(nothing: str) -> None:
    stores = [Store.open(nothing) for _ in range(3)]
    failures: list[Exception] = []

    def go(store: Store) -> None:
        try:
            migrate.upgrade(store)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=go, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migrate.current(stores[0]) == migrate.newest()
    for store in stores:
        store.close()


def test_a_newer_schema_is_left_alone(store: Store) -> None:
    with store.begin() as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match="has schema 9999"):
        migrate.upgrade(store)


def test_a_filled_database_gets_its_indexes(store: Store) -> None:
    """Also when an earlier attempt was interrupted, and left an index that PostgreSQL does not use."""
    with store.begin() as session:
        for number in range(20):
            session.add(
                ExecutionRow(
                    tenant_id="t",
                    id=f"e{number}",
                    trigger_id="post-login",
                    status="final",
                    expires_at=datetime(2026, 1, 1, tzinfo=UTC),
                )
            )
    migrate.downgrade(store, "0010")
    if not store.is_sqlite:
        with store.begin() as session:
            session.execute(text("create index executions_by_kind on executions (id)"))
            broken = (
                "update pg_index set indisvalid = false where indexrelid = 'executions_by_kind'::regclass"
            )
            session.execute(text(broken))
    migrate.upgrade(store)
    assert migrate.current(store) == migrate.newest()
    indexes = {
        index["name"]: index["column_names"] for index in inspect(store.engine).get_indexes("executions")
    }
    assert indexes["executions_by_kind"] == ["tenant_id", "trigger_id", "decision", "updated_at"]
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(ExecutionRow)) == 20


def test_logins_are_recorded_while_indexes_are_made(store: Store) -> None:
    """An index made in a transaction would hold up everybody who writes to its table."""
    if store.is_sqlite:
        pytest.skip("SQLite has one writer: the service starts when the schema is there")
    migrate.downgrade(store, "0010")
    said: list[str] = []

    def listen(_c: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement.lower())

    event.listen(store.engine, "before_cursor_execute", listen)
    migrate.upgrade(store, "0011")
    made = [statement for statement in said if "create index" in statement]
    assert len([statement for statement in made if "concurrently" in statement]) == len(made) / 2
    assert all("if not exists" in statement for statement in made)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "not a URL"),
        ("mysql://a:hush@b/c", "mysql is not supported"),
        ("postgresql://a:hush@127.0.0.1:1/none", "cannot be opened"),
        ("sqlite:////proc/none/x.db", "cannot be made"),
    ],
)
def test_databases_that_cannot_be_used(url: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem) as caught:
        Store.open(url)
    assert "hush" not in str(caught.value)
