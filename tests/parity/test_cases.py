"""Every sample and every Action as tenants write them, by the cases beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.flow.programs import ProgramCache
from runner.model.outcome import FlowOutcome
from runner.testing.cases.load import Case
from runner.testing.cases.model import Step
from runner.testing.cases.returning import returned
from runner.testing.cases.run import _Play
from runner.testing.cases.worlds import OneUser, fixed_cache
from sandbox.egress import StubEgress, parse_stubs
from tests.case_files import cases_below
from tests.parity.told import Teller, failures
from tests.parity.ways import Flow, RefusedError, Ways, as_the_service_names_them
from tests.parity.world import MOMENT, World
from triggers import get_trigger

TESTS = Path(__file__).parents[1]
FOLDERS = (TESTS.parent / "samples", TESTS / "wild")
CASES = [
    case
    for folder in FOLDERS
    for case in cases_below(folder)
    # A case's own limit of time is none of the service's: what it stops would run for 20 s in each way.
    if "timeout" not in str([step.expect for step in case.steps])
]
ONLY_HERE = {".ts"}
"""Sources that the command line takes and the service does not."""


def title(case: Case) -> str:
    return f"{case.path.parent.name}/{case.path.name.removesuffix('.case.yaml')}: {case.name}"


def played(case: Case, flow: Flow, world: Any) -> list[Any]:
    """What every step of a case comes to."""
    play = _Play(case, ProgramCache(), strict=False)
    play.trigger = get_trigger(case.trigger)
    world.now = World(StubEgress(case.fetch), fixed_cache(case.cache), OneUser(case.directory))
    teller = Teller()
    found: list[Any] = []
    outcome: FlowOutcome | None = None
    for step in case.steps:
        if step.fetch:
            world.now.egress = StubEgress((*parse_stubs(step.fetch), *case.fetch))
        try:
            outcome = stepped(play, step, flow, outcome)
        except RefusedError as error:
            found.append(error.code)
        else:
            found.append(teller.told(outcome))
    return found


def stepped(play: _Play, step: Step, flow: Flow, outcome: FlowOutcome | None) -> FlowOutcome:
    actions = as_the_service_names_them(play._actions(step))
    if step.resume is None:
        return flow.run(play._event(), actions, play.case.executed_rules)
    assert outcome is not None
    assert outcome.suspension is not None
    handle, now = outcome.suspension.handle, float(mark_of(play.case))
    waiting = flow.waiting(handle)
    return flow.resume(handle, actions, returned(waiting, step.resume, now))


def mark_of(case: Case) -> str:
    return MOMENT if case.clock is None else str(int(case.clock))


@pytest.mark.parametrize("case", CASES, ids=title)
def test_a_case_ends_alike_in_every_way(ways: Ways, case: Case) -> None:
    flows = ways.each(get_trigger(case.trigger), mark_of(case))
    if any(Path(spec.file).suffix in ONLY_HERE for spec in case.actions):
        del flows["over HTTP"]
    found = {name: played(case, flow, ways.world) for name, flow in flows.items()}
    expected = found["in process"]
    assert not any("internal" in failures(leg) for leg in expected if isinstance(leg, dict))
    for name, legs in found.items():
        assert legs == expected, name
