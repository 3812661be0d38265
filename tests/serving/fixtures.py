"""One server for all tests of a process and database; every test has tenants of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.server.logs import configure_logs
from runner.store.sealed.sealing import KeyRing
from tests.databases import migrated_database
from tests.serving.server import Client, Server, running, settings_for


@pytest.fixture(scope="session")
def quiet() -> None:
    """Only what goes wrong is logged. Warnings stay: other tests of the process look for theirs."""
    configure_logs("warning", "json")


@pytest.fixture(scope="session")
def embedded(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite."""
    with running(settings_for(tmp_path_factory.mktemp("service"))) as server:
        yield server


@pytest.fixture(scope="session")
def whole(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on SQLite with a worker process and the runtime API."""
    with running(settings_for(tmp_path_factory.mktemp("whole"), workers=1), whole=True) as server:
        yield server


@pytest.fixture(scope="session")
def clustered(quiet: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on PostgreSQL."""
    folder = tmp_path_factory.mktemp("service")
    url = migrated_database()
    KeyRing.create(folder / "keys.json")
    with running(settings_for(folder, database_url=url)) as server:
        yield server


@pytest.fixture(params=["embedded", "clustered"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of them, for what the database has a part in."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def client(server: Server) -> Client:
    """A client of a new tenant with every scope."""
    return server.client()
