"""Lists are read a few megabytes at a time: in order, nothing left out, nothing twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from runner.store import Store
from runner.store.database.by_size import portions
from runner.store.tables.columns import now
from runner.store.tables.runs import ExecutionRow
from tests.drawn import examples

TENANT = "t1"
SIZES = [0, 10, 400, 999, 1000, 1001, 5000]


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Executions whose outcome has so many characters of two bytes, many of each size."""
    with store.begin() as session:
        for number in range(70):
            session.add(
                ExecutionRow(
                    tenant_id=TENANT,
                    id=f"x{number}",
                    trigger_id="post-login",
                    status="final",
                    results=[],
                    outcome="é" * (SIZES[number % len(SIZES)] // 2),
                    created_at=now(),
                    updated_at=now(),
                    expires_at=now() + timedelta(days=1),
                )
            )
    return [f"x{number}" for number in range(70)]


def size(item: str) -> int:
    return SIZES[int(item[1:]) % len(SIZES)] // 2 * 2


def test_portions_are_what_was_asked_for_in_order(store: Store, ids: list[str]) -> None:
    @examples(20, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(ids), unique=True), st.integers(1, 8000))
    def check(wanted: list[str], most: int) -> None:
        with store.read() as session:
            mine = ExecutionRow.tenant_id == TENANT
            found = list(portions(session, ExecutionRow.id, mine, wanted, [ExecutionRow.outcome], most))
        assert [item for portion in found for item in portion] == wanted
        for portion in found:
            assert len(portion) == 1 or sum(map(size, portion)) <= most
        for portion, following in pairwise(found):
            assert sum(map(size, portion)) + size(following[0]) > most

    check()


def test_ids_of_nobody_take_no_room(store: Store) -> None:
    with store.read() as session:
        mine = ExecutionRow.tenant_id == TENANT
        found = portions(session, ExecutionRow.id, mine, ["y1", "y2"], [ExecutionRow.outcome], 1)
        assert list(found) == [["y1", "y2"]]
