"""The simulation of fleets against what queueing theory knows, and against itself."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scale import simulate as command
from bench.scale.fleet import simulate
from bench.scale.measured import Point, costs_of
from bench.scale.model import Costs, Found, Shape, Traffic

ONLY_WORKERS = Costs(
    front=0, worker=2.0, database=0, commit=0, database_commit=0, sync=0, spacing=0, spread=0
)
USUAL = Costs(front=1.3, worker=1.4)
OPEN_DOORS = Shape(workers=1, tenant_running=1000, tenant_queue=100_000, queue=100_000)


def mean(found: Found) -> float:
    return statistics.fmean(found.latencies())


@pytest.mark.parametrize("part", [0.3, 0.8])
def test_one_worker_is_an_m_d_1_queue(part: float) -> None:
    """Pollaczek and Khinchine: the mean wait is part / (2 (1 - part)) of the service time."""
    traffic = Traffic(rate=part * 500, seconds=20, tenants=1)
    found = simulate(OPEN_DOORS, ONLY_WORKERS, traffic)
    assert found.worker_busy == pytest.approx(part, rel=0.05)
    assert mean(found) == pytest.approx(2.0 * (1 + part / (2 * (1 - part))), rel=0.15)


@pytest.mark.parametrize("clients", [1, 40])
def test_littles_law(clients: int) -> None:
    """So many are inside as answers a second times their time inside."""
    found = simulate(OPEN_DOORS, USUAL, Traffic(clients=clients, tenants=1, seconds=3))
    assert found.rate() * mean(found) / 1000 == pytest.approx(clients, rel=0.05)


def test_one_client_meets_nobody() -> None:
    costs = replace(USUAL, spread=0.0, spacing=0.0)
    found = simulate(Shape(), costs, Traffic(clients=1, tenants=1, seconds=1))
    each = costs.front + costs.worker + costs.commit + costs.database + costs.database_commit + costs.sync
    assert found.latencies()[0] == pytest.approx(each)
    assert found.latencies()[-1] == pytest.approx(each)


@settings(max_examples=5, deadline=None)
@given(
    rate=st.floats(50, 1500),
    replicas=st.integers(1, 3),
    workers=st.integers(1, 3),
    slow=st.floats(0, 1),
    dies=st.none() | st.floats(0.1, 0.9),
    seed=st.integers(0, 1000),
)
def test_every_login_ends_once(
    rate: float, replicas: int, workers: int, slow: float, dies: float | None, seed: int
) -> None:
    traffic = Traffic(
        rate=rate, seconds=1, warm=0, tenants=20, slow=slow, slow_wait=0.5, dies=dies, back=0.95
    )
    shape = Shape(replicas=replicas, workers=workers, queue=40, tenant_queue=8)
    found = simulate(shape, USUAL, traffic, seed)
    assert set(found.ended) <= {"ok", "refused", "lost"}
    assert sum(found.ended.values()) == len(found.answers)
    assert all(item.ended >= item.came for item in found.answers)
    assert len(found.latencies()) == found.ended["ok"]


def test_a_seed_decides_all_of_it() -> None:
    traffic = Traffic(rate=400, seconds=1, warm=0.1, slow=0.1, slow_wait=0.2, dies=0.5)
    first, again, other = (simulate(Shape(replicas=2), USUAL, traffic, seed) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_more_workers_are_never_slower() -> None:
    traffic = Traffic(rate=350, seconds=3)
    costs = Costs(front=0.5, worker=2.5, spread=0.0)
    times = [mean(simulate(Shape(workers=workers), costs, traffic, 0)) for workers in (1, 2)]
    assert times == sorted(times, reverse=True)


def test_a_crowd_is_refused_and_what_waits_too_long() -> None:
    shape = Shape(workers=1, tenant_running=2, tenant_queue=3, queue=100)
    found = simulate(shape, USUAL, Traffic(rate=50, tenants=1, slow=1.0, slow_wait=2.0, warm=0, seconds=3))
    assert found.ended["refused"] > found.ended["ok"] > 0
    assert max(found.latencies()) < 12_500, "ten seconds in the queue, and the fetch"


def test_a_replica_that_dies_loses_what_it_had_and_no_more() -> None:
    traffic = Traffic(rate=600, warm=0, seconds=3, dies=1.0, back=2.0)
    found = simulate(Shape(replicas=3), USUAL, traffic)
    assert 0 < found.ended["lost"] < 30
    assert found.ended["refused"] == 0
    assert {round(item.ended / 1000) for item in found.answers if item.how == "lost"} == {1}


def test_costs_come_from_two_points() -> None:
    """A login and a transaction apart, as they were put together."""

    def point(commits: float) -> Point:
        return Point(
            workers=1,
            clients=1,
            rate=1,
            p50=1,
            p99=1,
            front=1.2 + 0.5 * commits,
            worker=1.4,
            database=0.3 + 0.1 * commits,
            client=0.1,
            commits=commits,
        )

    found = costs_of(point(1.0), point(0.25), 0.7)
    assert found.front == pytest.approx(1.2)
    assert found.commit == pytest.approx(0.5)
    assert found.database == pytest.approx(0.3)
    assert found.database_commit == pytest.approx(0.1)
    assert (found.worker, found.sync) == (1.4, 0.7)


def test_fleets_are_large_enough_for_a_death() -> None:
    for day in command.DAYS:
        replicas = day.replicas(USUAL)
        assert replicas >= 2
        assert day.peak < (replicas - 1) * command.most(USUAL)


def test_arguments() -> None:
    assert command.given(("front=2", "sync=0.5")) == Costs(front=2, worker=1.4, client=0.1, sync=0.5)
    with pytest.raises(ValueError, match=r"'fronts=2' is none of .*front"):
        command.given(("fronts=2",))
