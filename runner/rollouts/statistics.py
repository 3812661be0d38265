"""Evidence that may be looked at after every event (Lindon and Malek, arXiv 2011.03567).

Given that an event of a kind (a failure, a denial) happened, it happened on the candidate with probability
equal to the candidate's share, if both versions are alike. A Bayes factor against that is a martingale then:
the chance that it ever passes 1/alpha is at most alpha, however often anybody looks (Ville's inequality).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from math import lgamma
from typing import Final

_ODDS: Final = 4.0
"""The alternative that the mixture is centred on: a candidate with four times the rate. Chosen by simulation
(`python -m bench rollout`) for few events at large differences, and not many more at small ones."""
_LARGEST: Final = 600.0
"""Of a logarithm that is shown as a number."""
SHORTEST_RUN: Final = 3
_LONGEST_RUN: Final = 1_000
_RUN_PART: Final = 10
"""A tenth of alpha: the rest is the statistics'."""


@dataclass(frozen=True, slots=True)
class Split:
    """Events of one kind under one share. `share`: of the candidate, above 0 and below 1."""

    share: float
    control: int
    canary: int


def null_share(share: float, max_ratio: float) -> float:
    """The share of the events of a kind that fall on a candidate with `max_ratio` times the rate."""
    return max_ratio * share / (max_ratio * share + 1 - share)


def log_factor(splits: Iterable[Split], max_ratio: float = 1.0) -> float:
    """Natural logarithm of the Bayes factor for "more than `max_ratio` times the rate".

    Each share has counts and a factor of its own, and the factors are multiplied: each of them is a
    martingale, whatever happened before it began. One whose candidate has no more than its part counts for 0
    at most, because a better candidate is no regression.
    """
    total = 0.0
    for split in splits:
        null = null_share(split.share, max_ratio)
        a, b = 1.0, max(1.0, (1 - null) / null / _ODDS)
        log = _log_beta(a + split.canary, b + split.control) - _log_beta(a, b)
        log -= split.canary * math.log(null) + split.control * math.log1p(-null)
        total += log if split.canary > (split.canary + split.control) * null else min(log, 0.0)
    return total


def factor(log: float) -> float:
    """The factor as a number for people; very large ones stop growing."""
    return math.exp(min(log, _LARGEST))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def longest_run(control_rate: float, events: int, alpha: float) -> int:
    """How many failures in a row are too many without statistics: three; more where the control itself fails
    so often that three are to be expected among `events` with a chance above a tenth of `alpha`."""
    if control_rate <= 0 or events <= 0:
        return SHORTEST_RUN
    if control_rate >= 1:
        return _LONGEST_RUN
    needed = math.log(alpha / _RUN_PART / events) / math.log(control_rate)
    return min(max(SHORTEST_RUN, math.ceil(needed)), _LONGEST_RUN)
