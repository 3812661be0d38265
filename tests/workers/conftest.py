"""One pool for the tests that leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.egress import StubEgress, parse_stubs
from tests.workers.pools import LivePool, pool

STUBS = parse_stubs(
    [
        {"url": "https://api.example/greeting", "answer": {"json": {"hello": "there"}}},
        {"url": "https://api.example/slow", "answer": {"text": "slow", "delay_ms": 300}},
        {"url": "https://other.example/", "answer": {"text": "other"}},
    ]
)


@pytest.fixture(scope="session")
def live() -> Iterator[LivePool]:
    """Two workers; `fetch` is answered by stubs."""
    with pool(workers=2, egress=StubEgress(STUBS)) as started:
        yield started
