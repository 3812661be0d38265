"""One stand-in server for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.packages.site import Site


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
