"""Fairness of the queue: turns, and bounds that each tenant meets alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.workers.parent.queueing import FairQueue, QueueFullError
from runner.workers.parent.usage import HEAVY_MS, Usage


def queue(running: int = 100, tenant: int = 1000, total: int = 1000) -> FairQueue[str]:
    return FairQueue(tenant_running=running, tenant_queue=tenant, queue=total)


def drain(items: FairQueue[str]) -> list[str]:
    taken = []
    while (found := items.take(lambda *_: True)) is not None:
        taken.append(found[0])
    return taken


def test_tenants_take_turns_however_many_calls_one_has() -> None:
    items = queue()
    for number in range(5):
        items.put("loud", f"loud-{number}")
    items.put("quiet", "quiet-0")
    items.put("third", "third-0")
    assert drain(items) == ["loud-0", "quiet-0", "third-0", "loud-1", "loud-2", "loud-3", "loud-4"]


def test_who_used_less_lately_comes_first() -> None:
    items = queue()
    for name in ("much", "more", "little", "none"):
        items.put(name, name)
    usage, now = Usage(), time.monotonic()
    for name, used in {"much": 2_000.0, "more": 4_000.0, "little": 20.0}.items():
        usage.add(items.numbers(name), used, now)
    assert drain(items) == ["little", "none", "much", "more"]


def test_a_tenant_at_its_limit_does_not_hold_up_others() -> None:
    items = queue(running=2)
    for number in range(4):
        items.put("loud", f"loud-{number}")
    items.put("quiet", "quiet-0")
    assert drain(items) == ["loud-0", "quiet-0", "loud-1"]
    items.ended("loud")
    assert drain(items) == ["loud-2"]
    assert len(items) == 1


def test_who_has_no_place_waits_and_others_go() -> None:
    items = queue()
    items.put("low", "low-0")
    items.put("normal", "normal-0")
    low = items.numbers("low")
    assert items.take(lambda numbers, _: None if numbers is low else "here") == ("normal-0", "here")
    assert items.take(lambda *_: None) is None
    assert len(items) == 1


@pytest.mark.parametrize(("tenant", "total", "scope"), [(2, 100, "tenant"), (100, 2, "service")])
def test_a_full_queue_says_whose_it_is(tenant: int, total: int, scope: str) -> None:
    items = queue(tenant=tenant, total=total)
    items.put("a", "1")
    items.put("a", "2")
    with pytest.raises(QueueFullError) as refused:
        items.put("a", "3")
    assert refused.value.scope == scope
    assert len(items) == 2
    assert items.remove("a", "1")
    items.put("a", "3")
    assert drain(items) == ["2", "3"]


def test_what_comes_back_is_first_of_its_tenant() -> None:
    items = queue(tenant=1)
    items.put("a", "1")
    assert items.take(lambda *_: True) == ("1", True)
    items.put("a", "2")
    items.put_back("a", "1")
    assert drain(items) == ["1", "2"]


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 3))
def test_nothing_is_lost_and_nobody_runs_beyond_the_limit(calls: list[str], running: int) -> None:
    items = queue(running=running)
    for number, tenant in enumerate(calls):
        items.put(tenant, f"{tenant}-{number}")
    seen: list[str] = []
    while batch := drain(items):
        for tenant in "abc":
            assert sum(item.startswith(tenant) for item in batch) <= running
        for item in batch:
            items.ended(item[0])
        seen += batch
    assert sorted(seen) == sorted(f"{tenant}-{number}" for number, tenant in enumerate(calls))
    for tenant in "abc":
        mine = [int(item[2:]) for item in seen if item.startswith(tenant)]
        assert mine == sorted(mine)


def test_use_of_the_processor_fades_and_counts_only_beside_others() -> None:
    items, usage = queue(), Usage()
    loud = items.numbers("loud")
    loud.cpu_at = 100.0
    usage.seen("loud", 100.0)
    usage.add(loud, 4 * HEAVY_MS, 100.0)
    assert not usage.heavy(loud, 100.0), "it is alone"
    usage.seen("quiet", 100.0)
    assert usage.heavy(loud, 100.0)
    assert not usage.heavy(items.numbers("quiet"), 100.0)
    assert usage.used(loud, 101.0) == pytest.approx(2 * HEAVY_MS)
    usage.seen("loud", 102.5)
    assert not usage.heavy(loud, 102.5)
