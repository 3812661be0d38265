"""Actions as tenants write them (reference/in-the-wild.md): in every style, with every habit and mistake.

The scripts are our own; what they do is what the public ones do. Their case files are beside this module,
and the pytest plugin runs them in the real sandbox.
"""

from __future__ import annotations

from pathlib import Path

from tests.case_files import cases_below
from triggers import all_triggers

FOLDER = Path(__file__).parent
CASES = cases_below(FOLDER)
SCRIPTS = {path for path in FOLDER.rglob("*") if path.suffix in {".js", ".py"} and path.parent != FOLDER}


def test_every_trigger_is_there() -> None:
    assert {case.trigger for case in CASES} == {trigger.id for trigger in all_triggers()}


def test_every_script_runs_in_a_case() -> None:
    used = {(case.path.parent / spec.file).resolve() for case in CASES for spec in case.actions}
    assert used == SCRIPTS
