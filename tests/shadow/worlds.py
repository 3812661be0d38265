"""Worlds with chance in them: requests that take as long as they like, and Actions that depend on it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.flow.runner import Runner
from runner.model.action import Action
from runner.model.outcome import FlowOutcome
from runner.replay.record import FlowRecord, Recorder
from sandbox.egress.model import Cancel, EgressError, EgressSession, FetchRequest, FetchResponse, Settle


@dataclass
class ChanceEgress:
    """Answers each request after up to `most` seconds with its own number, or with an error."""

    most: float = 0.01
    random: random.Random = field(default_factory=lambda: random.Random(5))
    made: int = 0

    def open(self, deadline: float) -> EgressSession:
        del deadline
        return self

    def start(self, request: FetchRequest, settle: Settle) -> Cancel:
        self.made += 1
        body = json.dumps({"n": self.made, "path": request.url.rpartition("/")[2]}).encode()
        answer = FetchResponse(200, "OK", request.url, False, (("content-type", "application/json"),), body)
        outcome = EgressError("connect", "refused") if "broken" in request.url else answer
        timer = threading.Timer(self.random.random() * self.most, lambda: settle(outcome))
        timer.daemon = True
        timer.start()
        return timer.cancel

    def close(self) -> None:
        return None


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
