"""The evidence: what it is, and what it does over many rollouts; `python -m bench rollout` draws more."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rollout.simulate import ALPHA, EXPECTED, back_after, detected_after, false_rollbacks
from runner.rollouts.statistics import Split, factor, log_factor, longest_run, null_share

COUNTS = st.integers(0, 5_000)
SHARES = st.floats(0.001, 0.99)


@pytest.mark.parametrize("events", [1, 5, 20])
def test_at_one_half_it_is_what_a_uniform_mixture_gives(events: int) -> None:
    """All of n events on one side: the integral of p**n over 1/2**n."""
    assert factor(log_factor([Split(0.5, 0, events)])) == pytest.approx(2**events / (events + 1))


@given(SHARES, st.integers(0, 200))
def test_it_is_a_martingale(share: float, seen: int) -> None:
    """What one more event makes of it is, on average under equal rates, what it was; the mixture is never
    clipped here, because both sides of the mean are looked at."""
    before, null = _unclipped(share, seen, seen), null_share(share, 1)
    ours = null * math.exp(_unclipped(share, seen, seen + 1) - before)
    theirs = (1 - null) * math.exp(_unclipped(share, seen + 1, seen) - before)
    assert ours + theirs == pytest.approx(1, rel=1e-6)


def _unclipped(share: float, control: int, canary: int) -> float:
    null = null_share(share, 1)
    a, b = 1.0, max(1.0, (1 - null) / null / 4)
    log_beta = lambda x, y: math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)  # noqa: E731
    mixture = log_beta(a + canary, b + control) - log_beta(a, b)
    found = mixture - canary * math.log(null) - control * math.log1p(-null)
    clipped = log_factor([Split(share, control, canary)])
    assert clipped == pytest.approx(found if canary > (canary + control) * null else min(found, 0.0))
    return found


@given(SHARES, COUNTS, COUNTS, st.floats(1, 10))
def test_a_better_candidate_is_no_regression(share: float, control: int, canary: int, ratio: float) -> None:
    found = log_factor([Split(share, control, canary)], ratio)
    if canary <= (control + canary) * null_share(share, ratio):
        assert found <= 0
    assert math.isfinite(factor(found))
    assert log_factor([Split(share, control, canary)], ratio * 2) <= max(found, 0) + 1e-9


@given(st.lists(st.tuples(SHARES, COUNTS, COUNTS), max_size=5))
def test_stages_have_factors_of_their_own(stages: list[tuple[float, int, int]]) -> None:
    splits = [Split(*stage) for stage in stages]
    assert log_factor(splits) == pytest.approx(math.fsum(log_factor([split]) for split in splits))


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_few_that_are_no_worse_go_back(rate: float) -> None:
    assert false_rollbacks(rate, runs=500) <= ALPHA


@pytest.mark.parametrize("control", [0.001, 0.05])
def test_one_that_always_fails_is_back_within_eight_events(control: float) -> None:
    after = back_after(control, runs=500)
    assert after[len(after) * 99 // 100] <= 8


@pytest.mark.parametrize(("control", "canary", "expected"), EXPECTED)
def test_it_finds_what_is_worse_in_time(control: float, canary: float, expected: int) -> None:
    after = detected_after(control, canary, runs=60)
    assert statistics.fmean(after) <= 1.5 * expected


@pytest.mark.parametrize(
    ("rate", "run"), [(0.0, 3), (0.001, 3), (0.01, 3), (0.05, 5), (0.1, 6), (0.5, 20), (1.0, 1_000)]
)
def test_more_failures_in_a_row_are_usual_where_the_control_fails_often(rate: float, run: int) -> None:
    assert longest_run(rate, 700, 0.01) == run
    assert longest_run(rate, 0, 0.01) == 3
