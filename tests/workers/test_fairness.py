"""A neighbour's legs while eight tenants flood the only worker: none fails. How long they take is measured by
`python -m bench service-flood`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from runner.model.action import Action
from runner.workers import PoolSettings, TooBusyError
from sandbox.core.caps import Limits
from sandbox.egress import StubEgress, parse_stubs
from tests.workers.conftest import STUBS
from tests.workers.pools import LivePool, javascript, pool, python

TENANTS, EACH = 8, 2
FLOODS = {
    "logs": javascript("for (;;) console.log('x');"),
    "some logs": javascript("for (let i = 0; i < 3000; i++) console.log('line ' + i);"),
    "api calls": javascript("for (;;) api.cache.get('k');"),
    "requests": javascript("for (;;) try { await fetch('https://api.example/greeting'); } catch {}"),
    "keys": javascript("for (;;) require('crypto').generateKeyPairSync('rsa', { modulusLength: 2048 });"),
    "hashes": javascript("for (;;) require('crypto').createHash('sha256').update('x').digest();"),
    "clocks": javascript("for (;;) Date.now();"),
    "memory": javascript("const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));"),
    "loops": javascript("for (;;) {}"),
    "prints": python("while True: print('x')"),
    "python loops": python("while True: pass"),
}


@pytest.fixture(scope="module")
def crowded() -> Iterator[LivePool]:
    with pool(PoolSettings(workers=1), egress=StubEgress(STUBS)) as live:
        yield live


@pytest.mark.parametrize("flood", FLOODS)
def test_no_leg_of_a_neighbour_fails(crowded: LivePool, flood: str) -> None:
    action: Action = replace(FLOODS[flood], limits=Limits(wall_ms=1500))
    loud = [crowded.call(action, tenant=f"loud{number}") for number in range(TENANTS) for _ in range(EACH)]
    quiet = javascript("api.idToken.setCustomClaim('https://x.example/a', 1);")
    for _ in range(15):
        outcome = crowded.run(quiet, tenant="quiet")
        assert outcome.decision == "allow", outcome.failure
    for call in loud:
        try:
            outcome = call.result(60).outcome
        except TooBusyError:
            continue
        assert outcome.failure is None or outcome.failure.code != "internal", outcome.failure
    assert crowded.pool.stats().restarts == {}


def test_long_legs_end_at_their_limit_though_they_take_turns(crowded: LivePool) -> None:
    action = replace(FLOODS["loops"], limits=Limits(wall_ms=300))
    calls = [crowded.call(action, tenant=f"loud{number}") for number in range(TENANTS)]
    for call in calls:
        failure = call.result(60).outcome.failure
        assert failure is not None
        assert failure.code == "timeout"
        assert "worker" not in failure.detail, "it ended by itself"


def test_requests_that_hang_leave_a_place_for_whoever_comes() -> None:
    slow = parse_stubs([{"url": "https://hangs.example/", "answer": {"text": "late", "delay_ms": 6000}}])
    hangs = javascript("await fetch('https://hangs.example/');")
    with pool(PoolSettings(workers=1, slots=8), egress=StubEgress(slow)) as live:
        loud = [live.call(hangs, tenant=f"loud{number % 4}") for number in range(24)]
        live.until(lambda: live.pool.stats().running >= 4)
        for number in range(3):
            assert live.run(javascript(""), tenant=f"quiet{number}").decision == "allow"
        assert not any(call.done() for call in loud), "they waited for those that hang"
