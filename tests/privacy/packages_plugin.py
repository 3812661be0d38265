"""A pytest plugin for tests/packages: stamps the record of every Action that a test runs in process.

`python -m bench fidelity` loads it with `-p`; the stamps go to the file that an environment variable names.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from runner.flow.runner import Runner
from runner.model.outcome import FlowOutcome
from runner.privacy.fidelity import Fidelity
from tests.parity.ways import Flow, Ways
from tests.privacy.corpus import leg_of

FILE: Final = "ACTIONBOX_FIDELITY_FILE"
"""A line for each stamp: the test, a tab, the verdict, a tab, what it says."""
_run = Runner.run
_each = Ways.each


def _stamped(self: Runner, *given: Any, _test: list[str], **options: Any) -> FlowOutcome:
    traces: list[Any] = []
    outcome = _run(replace(self, observer=traces.append), *given, **options)
    stamp: Fidelity = leg_of(_test[0], traces[-1], outcome).fidelity(self.programs)
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(f"{_test[0]}\t{stamp.verdict}\t{str(stamp)!r}\n")
    return outcome


class _InProcess(dict[str, Flow]):
    """Only this way; which others a test leaves out does not matter."""

    def __delitem__(self, name: str) -> None:
        self.pop(name, None)


def _one_way(self: Ways, *given: Any) -> dict[str, Flow]:
    return _InProcess({"in process": _each(self, *given)["in process"]})


@pytest.fixture(autouse=True)
def _stamps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    test = [request.node.nodeid]
    monkeypatch.setattr(
        Runner, "run", lambda self, *given, **options: _stamped(self, *given, _test=test, **options)
    )
    monkeypatch.setattr(Ways, "each", _one_way)
