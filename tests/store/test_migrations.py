"""The schema goes up and down, is what the models say, and newer ones are refused."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from runner.store import Store, StoreError, migrate
from runner.store.tables.columns import Base
from runner.store.tables.models import ActionRow


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


def test_replicas_that_start_together_migrate_once(url: str) -> None:
    stores = [Store.open(url) for _ in range(4)]
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
