"""Records of single legs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from runner.flow.runner import Runner
from runner.model.action import Action
from runner.model.outcome import FlowOutcome
from runner.replay.record import FlowRecord, Recorder


def recorded(
    runner: Runner,
    event: dict[str, Any],
    actions: Sequence[Action],
    *,
    trigger: str = "post-login",
    **changes: Any,
) -> tuple[FlowOutcome, FlowRecord]:
    """One leg, and its record with secrets."""
    recorder = Recorder(keep_secrets=True)
    outcome = replace(runner, observer=recorder, **changes).run(trigger, event, actions)
    return outcome, recorder.record(outcome)
