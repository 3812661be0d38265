"""Rollouts drawn by chance, with the guards of the service on them after every event.

Only the drawing is here: evidence and the run of failures are `runner.rollouts.statistics`. Events without a
failure change nothing that the statistics look at, so they are drawn as many at a time as come one after the
other; the result is the same as with one after another.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table

from runner.rollouts.statistics import Split, log_factor, longest_run

SEED: Final = 20261201
RUNS: Final = 10_000
ALPHA: Final = 0.01
USUAL: Final = ((0.05, 200), (0.25, 500))
"""Share and events of the canary stages in the documentation's example."""
ENDLESS: Final = ((0.05, 1_000_000),)
EXPECTED: Final = ((0.01, 0.20, 18), (0.01, 0.03, 560), (0.01, 0.02, 2_010))
"""Rates of control and candidate, and the specification's figure: canary events until the rollback."""
_HARMLESS: Final = (0.001, 0.01, 0.03, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Rollback:
    """After how many events of the candidate, and whether a run of failures did it."""

    events: int
    by_run: bool


@dataclass(slots=True)
class _Drawn:
    """One rollout on its way."""

    dice: random.Random
    control: float
    canary: float
    alpha: float
    planned: int
    runs: bool
    control_events: int = 0
    control_failed: int = 0
    events: int = 0
    streak: int = 0

    def stage(self, share: float, needed: int, before: Sequence[Split]) -> Rollback | Split:
        """A stage: the rollback that ends it, or its counts."""
        rate = share * self.canary + (1 - share) * self.control
        clean_part = share * (1 - self.canary) / (1 - rate) if rate < 1 else 0.0
        failed, there, begun = 0, 0, self.events
        while True:
            clean = _gap(self.dice, rate)
            mine = _binomial(self.dice, clean, clean_part)
            if self.events - begun + mine >= needed:
                self.events = begun + needed
                return Split(share, there, failed)
            self.events += mine
            self.control_events += clean - mine
            self.streak = 0 if mine else self.streak
            if self.dice.random() < share * self.canary / rate:
                self.events, self.streak, failed = self.events + 1, self.streak + 1, failed + 1
            else:
                self.control_events, there = self.control_events + 1, there + 1
                self.control_failed += 1
            now = Split(share, there, failed)
            if log_factor([*before, now]) >= math.log(1 / self.alpha):
                return Rollback(self.events, by_run=False)
            if self.runs and self.streak >= self._longest():
                return Rollback(self.events, by_run=True)

    def _longest(self) -> int:
        rate = self.control_failed / self.control_events if self.control_events else 0.0
        return longest_run(rate, self.planned, self.alpha)


def rollout(
    dice: random.Random,
    control: float,
    canary: float,
    stages: Sequence[tuple[float, int]] = USUAL,
    *,
    alpha: float = ALPHA,
    runs: bool = True,
) -> Rollback | None:
    """One rollout, None when it is promoted. `control`, `canary`: the rates at which they fail."""
    drawn = _Drawn(dice, control, canary, alpha, sum(events for _, events in stages), runs)
    splits: list[Split] = []
    for share, needed in stages:
        found = drawn.stage(share, needed, splits)
        if isinstance(found, Rollback):
            return found
        splits.append(found)
    return None


def false_rollbacks(rate: float, runs: int = RUNS, seed: int = SEED) -> float:
    """The part of the rollouts that go back although both versions fail at the same `rate`."""
    dice = random.Random(seed)
    return sum(rollout(dice, rate, rate) is not None for _ in range(runs)) / runs


def back_after(control: float, runs: int = RUNS, seed: int = SEED) -> list[int]:
    """Events of a candidate that always fails until it is back, in order. `control`: the rate of the
    other."""
    dice = random.Random(seed)
    found = [rollout(dice, control, 1.0) for _ in range(runs)]
    return sorted(item.events if item is not None else RUNS for item in found)


def detected_after(control: float, canary: float, runs: int, seed: int = SEED) -> list[int]:
    """Canary events until the statistics alone, with one guard at 5 %, say so; in order."""
    dice = random.Random(seed)
    found = [rollout(dice, control, canary, ENDLESS, runs=False) for _ in range(runs)]
    return sorted(item.events if item is not None else ENDLESS[0][1] for item in found)


def tables() -> RenderableType:
    """Every figure, over `RUNS` rollouts each."""
    stages = ", then ".join(f"{events} at {share:.0%}" for share, events in USUAL)
    title = f"{RUNS:,} rollouts each, alpha {ALPHA}, looked at after every event; stages: {stages}"
    harmless = Table("both fail", "rolled back", title=title)
    for rate in _HARMLESS:
        harmless.add_row(f"{rate:.1%}", f"{false_rollbacks(rate):.2%}")
    always = Table(
        "control fails", "median", "99 %", title="a candidate that always fails: events until it is back"
    )
    for rate in _HARMLESS[:-1]:
        after = back_after(rate)
        always.add_row(f"{rate:.1%}", str(after[len(after) // 2]), str(after[len(after) * 99 // 100]))
    found = Table(
        "candidate",
        "control",
        "specified",
        "mean",
        "median",
        "99 %",
        title="the statistics alone, one guard at 5 %: canary events until the rollback",
    )
    for control, canary, expected in EXPECTED:
        after = detected_after(control, canary, RUNS)
        figures = (statistics.fmean(after), after[len(after) // 2], after[len(after) * 99 // 100])
        found.add_row(
            f"{canary:.0%}", f"{control:.0%}", str(expected), *(f"{value:,.0f}" for value in figures)
        )
    return Group(harmless, always, found)


def _gap(dice: random.Random, rate: float) -> int:
    """Events until the next one that fails."""
    return 0 if rate >= 1 else int(math.log(1 - dice.random()) / math.log1p(-rate))


def _binomial(dice: random.Random, count: int, part: float) -> int:
    """How many of `count` fall on a part, drawn by the gaps between them."""
    if part <= 0:
        return 0
    found = 0
    at = _gap(dice, part)
    while at < count:
        found += 1
        at += 1 + _gap(dice, part)
    return found
