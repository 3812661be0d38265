"""The fidelity stamp of a record, in a worker: both forms are run, and nothing is sent anywhere."""

from __future__ import annotations

import json
import time

from runner.flow.programs import ProgramCache
from runner.model.caps import STAMP_REPLAY_MS, STAMP_SECONDS
from runner.model.secret_names import SecretValues
from runner.privacy.fidelity import Fidelity, fidelity
from runner.replay.record import FlowRecord
from runner.replay.replay import Replay, replay
from runner.suspension.stores import PinnedAction


def stamp(body: bytes, programs: ProgramCache) -> Fidelity:
    """The stamp of the record in a call's body, see `WorkerPool.stamp`."""
    given = json.loads(body)
    record = FlowRecord.model_validate(given["record"])
    record = record.model_copy(update={"budget_ms": min(record.budget_ms, STAMP_REPLAY_MS)})
    until = time.monotonic() + STAMP_SECONDS

    def secrets(action: PinnedAction) -> SecretValues:
        values: SecretValues = given["secrets"].get(action.digest, {})
        return values

    def run(form: FlowRecord, lenient: bool) -> Replay:
        return replay(form, secrets, programs, without_secrets=True, lenient=lenient)

    return fidelity(record, bytes.fromhex(given["key"]), run, lambda: time.monotonic() < until)
