"""Planted edits of real Actions are put down to the right cause; unchanged ones never differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.model.action import Action
from runner.replay.record import FlowRecord
from runner.shadow.differences import attributed, incomparable
from runner.shadow.leg import LegShadow, shadow_leg
from runner.shadow.run import recorded_actions
from runner.testing.cases.load import Case
from tests.case_files import cases_below
from tests.drills.rounds import rounds
from tests.flow.fixtures import PROGRAMS
from tests.shadow.edits import EDITS, Edit
from tests.shadow.played import ROOT, legs_of, played

pytestmark = pytest.mark.usefixtures("no_connections")


def edited(record: FlowRecord, edit: Edit) -> list[Action]:
    actions = list(recorded_actions(record))
    at = next(n for n, action in enumerate(actions) if action.source.filename.endswith(edit.file))
    source = actions[at].source
    assert edit.old in source.text, edit.id
    text = source.text.replace(edit.old, edit.new)
    actions[at] = replace(actions[at], source=replace(source, text=text))
    return actions


def shadow(edit: Edit) -> LegShadow:
    record = played(edit.cases, edit.case)[edit.leg]
    return shadow_leg(record, edited(record, edit), PROGRAMS, control=recorded_actions(record))


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.id)
def test_an_edit_is_put_down_to_its_cause(edit: Edit) -> None:
    found = shadow(edit)
    assert found.skipped is None
    assert found.self_check == ()
    first = attributed(found.differences)
    assert (None if first is None else first.cause) == edit.cause, found.differences
    if edit.path:
        assert first is not None
        assert first.path == edit.path


def test_there_are_many_of_both_languages_and_of_every_cause() -> None:
    assert len([edit for edit in EDITS if edit.cause is not None]) >= 40
    assert {Path(edit.file).suffix for edit in EDITS} == {".js", ".py"}


CASES = [*cases_below(ROOT / "samples"), *cases_below(ROOT / "tests" / "wild")]
FIRST = list({(case.path, *(spec.file for spec in case.actions)): case for case in reversed(CASES)}.values())
"""The first case of each flow: the others take other paths through the same Actions."""


@pytest.mark.parametrize("part", range(8))
def test_what_ran_in_a_case_never_differs_from_itself(part: int) -> None:
    wrong: list[Any] = []
    legs = 0
    for case in rounds(FIRST, CASES)[part::8]:
        wrong += [(case.path.name, case.name, found) for found in _selves(case)]
        legs += 1
    assert wrong == []
    assert legs > 10


def _selves(case: Case) -> list[Any]:
    found = []
    for record in legs_of(case):
        actions = recorded_actions(record)
        result = shadow_leg(record, actions, PROGRAMS, control=rounds(None, actions))
        assert (result.skipped is None) == (incomparable(record) is None)
        found += [*result.differences, *(result.self_check or ())]
    return found
