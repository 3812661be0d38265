"""Token buckets: what passes, what a refused caller is told, and what is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.http.rate_limit import RateLimiter

RATES = st.sampled_from([0.5, 1.0, 3.0, 50.0])
BURSTS = st.integers(1, 20)
PAUSES = st.lists(st.floats(0, 5), max_size=60)
NOW = 1_800_000_000.0


@dataclass
class Clock:
    """Both clocks of a limiter; the wall clock runs beside the monotonic one."""

    elapsed: float = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        return NOW + self.elapsed


def limiter(clock: Clock, rate: float = 1.0, burst: int = 3) -> RateLimiter:
    return RateLimiter(rate, burst, clock.monotonic, clock.wall)


@given(RATES, BURSTS, PAUSES)
def test_no_more_than_the_burst_and_the_rate_pass(rate: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets = limiter(clock, rate, burst)
    passed = 0
    for pause in pauses:
        clock.elapsed += pause
        passed += buckets.take("a").retry_after == 0
        assert passed <= burst + rate * clock.elapsed + 1e-6


@given(RATES, BURSTS, PAUSES)
def test_whoever_waits_as_told_passes(rate: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets = limiter(clock, rate, burst)
    for pause in pauses:
        clock.elapsed += pause
        allowance = buckets.take("a")
        if allowance.retry_after:
            clock.elapsed += allowance.retry_after
            assert buckets.take("a").retry_after == 0


@given(RATES, BURSTS, PAUSES)
def test_as_many_follow_at_once_as_are_said_to_remain(rate: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets = limiter(clock, rate, burst)
    for pause in pauses:
        clock.elapsed += pause
        told = buckets.take("a")
    told = buckets.take("a")
    for left in reversed(range(told.remaining)):
        allowance = buckets.take("a")
        assert (allowance.retry_after, allowance.remaining) == (0, left)
    assert buckets.take("a").retry_after >= 1


def test_a_bucket_is_full_again_when_it_says_so() -> None:
    clock = Clock()
    buckets = limiter(clock, rate=2.0, burst=5)
    for _ in range(5):
        allowance = buckets.take("a")
    assert (allowance.limit, allowance.remaining, allowance.reset_at) == (5, 0, NOW + 3)  # 2.5 s, rounded up
    clock.elapsed = allowance.reset_at - NOW
    assert buckets.take("a").remaining == 4


def test_a_clock_that_stands_still_refills_nothing() -> None:
    buckets = limiter(Clock(), rate=100.0, burst=2)
    assert [buckets.take("a").retry_after for _ in range(4)] == [0, 0, 1, 1]


def test_keys_do_not_share_a_bucket() -> None:
    buckets = limiter(Clock(), burst=1)
    assert buckets.take("a").retry_after == 0
    assert buckets.take("a").retry_after == 1
    assert buckets.take("b").retry_after == 0


def test_the_key_that_was_quiet_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.http.rate_limit._MAX_BUCKETS", 2)
    buckets = limiter(Clock(), burst=1)
    for key in ("a", "b", "a", "c"):  # c drops b: a was here again
        buckets.take(key)
    assert buckets.take("a").retry_after == 1
    assert buckets.take("b").retry_after == 0


def test_headers_have_the_time_to_wait_only_for_the_refused() -> None:
    buckets = limiter(Clock(), burst=1)
    passed, refused = buckets.take("a").headers, buckets.take("a").headers
    assert passed == {
        "X-RateLimit-Limit": "1",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(NOW) + 1),
    }
    assert refused == {**passed, "Retry-After": "1"}
