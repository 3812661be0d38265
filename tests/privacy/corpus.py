"""Records of all legs of case files, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from runner.flow.leg_trace import LegTrace
from runner.flow.programs import ProgramCache
from runner.model.outcome import FlowOutcome
from runner.privacy.fidelity import Fidelity, fidelity
from runner.replay.record import FlowRecord, make_record
from runner.replay.replay import Replay, replay
from runner.suspension.stores import PinnedAction
from runner.testing.cases.load import Case
from runner.testing.cases.run import run_case
from tests.case_files import cases_below

KEY: Final = b"the key of one tenant's records."
FOLDERS: Final = ("samples", "tests/wild")
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Leg:
    """One recorded leg. `secrets`: of each Action, by its digest."""

    name: str
    record: FlowRecord
    secrets: dict[str, dict[str, str]]

    def replayed(self, programs: ProgramCache, record: FlowRecord, lenient: bool) -> Replay:
        """A form of the record, run again."""

        def given(action: PinnedAction) -> dict[str, str]:
            return self.secrets[action.digest]

        return replay(record, given, programs, lenient=lenient)

    def fidelity(self, programs: ProgramCache) -> Fidelity:
        return fidelity(self.record, KEY, partial(self.replayed, programs))


def leg_of(name: str, trace: LegTrace, outcome: FlowOutcome) -> Leg:
    """A leg that was run."""
    secrets = {action.digest: action.every_secret for action in trace.leg.actions}
    return Leg(name, make_record(trace, outcome, keep_secrets=False), secrets)


def cases(folders: Iterable[str] = FOLDERS) -> list[Case]:
    """The cases of the corpus."""
    return [case for folder in folders for case in cases_below(_ROOT / folder)]


def legs(found: Iterable[Case], programs: ProgramCache) -> Iterator[Leg]:
    """The legs of these cases, in order."""
    for case in found:
        seen: list[Leg] = []
        name = f"{case.path.name.removesuffix('.case.yaml')}: {case.name}"
        run_case(case, programs, seen=lambda *leg, name=name, seen=seen: seen.append(leg_of(name, *leg)))
        yield from seen
