"""The ways to run flows change nothing for other tests of the same process."""

from __future__ import annotations

from runner.server import composition
from tests.parity.ways import Ways


def test_other_servers_have_pools_of_their_own(ways: Ways) -> None:
    assert ways.server
    assert composition.make_pool.__module__ == "runner.server.composition"
