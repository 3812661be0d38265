"""Records of the case files of samples and wild Actions: what happened in the world of each case."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from runner.replay.record import FlowRecord, make_record
from runner.testing.cases.load import Case, load_cases
from runner.testing.cases.match import Difference
from runner.testing.cases.model import Step
from runner.testing.cases.run import UNUSABLE, _Play
from tests.flow.fixtures import PROGRAMS

ROOT = Path(__file__).parent.parent.parent


class _Recorded(_Play):
    """A case that keeps a record of each leg, whatever came of it."""

    def __init__(self, case: Case) -> None:
        super().__init__(case, PROGRAMS, strict=False)
        self.legs: list[FlowRecord] = []

    def _differences(self, step: Step) -> list[Difference]:
        super()._differences(step)
        if self.traces and self.outcome is not None:
            self.legs.append(make_record(self.traces[0], self.outcome, keep_secrets=True))
        return []


@cache
def _cases(path: str) -> dict[str, Case]:
    return {case.name: case for case in load_cases(ROOT / path)}


def played(path: str, name: str) -> list[FlowRecord]:
    """The legs of the case `name` of a case file, with secrets."""
    return legs_of(_cases(path)[name])


def legs_of(case: Case) -> list[FlowRecord]:
    """The legs of a case; none of a case that cannot be run."""
    play = _Recorded(case)
    with suppress(*UNUSABLE):
        play.run()
    return play.legs
