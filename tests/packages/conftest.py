"""One stand-in server for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.packages import actions
from tests.packages.site import Site


@pytest.fixture(autouse=True)
def _alike(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Action that a test runs ends alike in process, in a worker and over HTTP."""
    monkeypatch.setattr(actions, "WAYS", lambda: request.getfixturevalue("ways"))


@pytest.fixture(scope="session")
def _server() -> Iterator[Site]:
    server = Site()
    yield server
    server.close()


@pytest.fixture
def site(_server: Site) -> Site:
    """A server that answers for every host, without any route yet."""
    _server.reset()
    return _server
