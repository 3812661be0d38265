"""One pool for the tests that leave it as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from sandbox.egress import StubEgress, parse_stubs
from tests.workers.pools import EVENT, LivePool, pool
from triggers import StaticDirectory

STUBS = parse_stubs(
    [
        {"url": "https://api.example/greeting", "answer": {"json": {"hello": "there"}}},
        {"url": "https://api.example/slow", "answer": {"text": "slow", "delay_ms": 300}},
        {"url": "https://other.example/", "answer": {"text": "other"}},
    ]
)


def directory(tenant: str) -> StaticDirectory:
    """A user of the example event who has one role, named after the tenant."""
    return StaticDirectory(
        user_roles={(EVENT["user"]["user_id"], None): [{"id": "rol_1", "name": tenant, "type": "direct"}]}
    )


@pytest.fixture(scope="session")
def live() -> Iterator[LivePool]:
    """Two workers; `fetch` is answered by stubs."""
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("runner.workers")
    log.addHandler(handler)
    with pool(workers=2, egress=StubEgress(STUBS), directory=directory) as started:
        yield started
    log.removeHandler(handler)
    # A call that the filter refuses shows here first; deliberate faults have pools of their own.
    assert [line for line in heard if "PermissionError" in line] == []
