"""One server for all tests of a process and database; every test has tenants of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from runner.service.logs import configure_logs
from tests.postgres import new_database
from tests.service.server import Client, Server, running, settings_for


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    """Only what goes wrong is logged."""
    configure_logs("error", "json")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(f"service-{uuid.uuid4().hex[:6]}")
    changes = {}
    if request.param == "postgresql":
        from runner.store.sealing import KeyRing

        changes["database_url"] = new_database()
        KeyRing.create(folder / "keys.json")
    with running(settings_for(folder, **changes)) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Client:
    """A client of a new tenant with every scope."""
    return server.client()
