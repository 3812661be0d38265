"""Records: one leg with its sources, its state and its journals, to be run again bit by bit.

A record replays exactly because everything an Action saw is in it: the flow's state at the start, and
every host call with its answer. Secret values are taken out (`--record-secrets` keeps them), see
`runner.replay.marks`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets as tokens
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from runner.flow.leg_trace import ExecutionTrace, LegTrace
from runner.flow.redact import Redactor
from runner.model.errors import InputError
from runner.model.outcome import FlowOutcome, ResumePoint
from runner.replay.bodies import with_bodies
from runner.replay.engines import EngineRecord, engines_of
from runner.replay.marks import Marker, fingerprint, restorer
from runner.replay.parts import damage, digests, source_digests
from runner.suspension.stores import PinnedAction
from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode
from sandbox.core.program import Language

SCHEMA: Final = "actionbox.record/2"
FIRST_SCHEMA: Final = "actionbox.record/1"
"""Of releases before this one; without everything that has a default below but `features`."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordedExecution(_Record):
    """See `ExecutionTrace`; `journal` as `Journal.to_data` makes it."""

    action: int
    limits: Limits
    clock: tuple[float, ...]
    journal: Any


class RecordedVersion(_Record):
    """Which version of an Action ran, and why; "" and None where nobody knows.

    Attributes:
        number: of the version, from 1.
        arm: of a rollout: `control` or `canary`; `arm_reason` says why.
    """

    action_id: str = ""
    version_id: str = ""
    number: int | None = None
    binding_id: str = ""
    arm: str | None = None
    arm_reason: str | None = None


class LegContext(_Record):
    """What a service knows of a leg beside what ran.

    Attributes:
        parent_leg: number of the leg that suspended before this one.
        traceparent: of the request, as W3C Trace Context has it.
        versions: by Action.
    """

    parent_leg: int | None = None
    traceparent: str | None = None
    idempotency_key: str | None = None
    versions: tuple[RecordedVersion, ...] = ()


class FlowRecord(_Record):
    """One leg on file.

    Attributes:
        tag: random; part of the marks that stand for secrets.
        release: of actionbox.
        context: see there; None on the command line.
        engines: that the Actions of this leg ran on.
        secrets: by Action, those of its modules included (`runner.model.secret_names`), with
            `--record-secrets`; None when they were taken out.
        fingerprints: of the same, by name, see `runner.replay.marks`.
        state: the trigger's state at the start of the leg.
        redirect_state: what a redirect of this leg carries.
        outcome: what came out, without what differs from run to run, see `comparable`.
        digest: SHA-256 of it, so that altering one of them shows.
        parts: digests of all parts, see `runner.replay.parts`; whoever changes a record calls `stamped`.
    """

    schema_id: Literal["actionbox.record/2", "actionbox.record/1"] = Field(default=SCHEMA, alias="schema")
    tag: str
    tenant: str
    execution_id: str
    number: int
    trigger: str
    trigger_version: str
    release: str = ""
    context: LegContext | None = None
    actions: tuple[PinnedAction, ...]
    engines: dict[Language, EngineRecord] = Field(default_factory=dict)
    secrets: tuple[dict[str, str], ...] | None
    fingerprints: tuple[dict[str, str], ...] | None = None
    state: Any
    start: ResumePoint | None
    limits: Limits
    budget_ms: int
    redirect_state: str
    redirect_issuer: str | None = None
    executed_rules: tuple[str, ...]
    features: tuple[str, ...]
    payload_may_override_claims: bool
    flushed: int
    executions: tuple[RecordedExecution, ...]
    outcome: dict[str, Any]
    digest: str
    parts: dict[str, str] = Field(default_factory=dict)


class Recorder:
    """An observer that keeps the last leg it saw. For one flow at a time."""

    def __init__(self, *, keep_secrets: bool = False) -> None:
        self._keep_secrets = keep_secrets
        self._trace: LegTrace | None = None

    def __call__(self, trace: LegTrace) -> None:
        self._trace = trace

    def record(self, outcome: FlowOutcome) -> FlowRecord:
        """The record of the leg that `outcome` came from."""
        trace = self._trace
        assert trace is not None, "the recorder observed no leg"
        return make_record(trace, outcome, keep_secrets=self._keep_secrets)


def make_record(trace: LegTrace, outcome: FlowOutcome, *, keep_secrets: bool) -> FlowRecord:
    """The record of one leg."""
    return stamped(unstamped_record(trace, outcome, keep_secrets=keep_secrets))


def unstamped_record(trace: LegTrace, outcome: FlowOutcome, *, keep_secrets: bool) -> FlowRecord:
    """The same without its digests, for a keeper who seals it: it costs less. `stamped` adds them later."""
    leg, tag = trace.leg, tokens.token_hex(8)
    secrets = tuple(action.every_secret for action in leg.actions)
    hide = None if keep_secrets else Marker(tag, secrets)
    result: dict[str, Any] = _hidden(hide, comparable(outcome))
    return FlowRecord(
        tag=tag,
        tenant=trace.tenant,
        execution_id=trace.execution_id,
        number=trace.number,
        trigger=leg.trigger.id,
        trigger_version=leg.trigger.version,
        release=_release(),
        actions=tuple(PinnedAction.of(action) for action in leg.actions),
        engines=engines_of(action.language for action in leg.actions),
        secrets=secrets if keep_secrets else None,
        fingerprints=tuple(
            {name: fingerprint(tag, name, value) for name, value in values.items()} for values in secrets
        ),
        state=_hidden(hide, leg.state.model_dump(mode="json")),
        start=leg.start,
        limits=leg.limits,
        budget_ms=leg.budget_ms,
        redirect_state=leg.services.redirect_state,
        redirect_issuer=leg.services.redirect_issuer,
        executed_rules=tuple(sorted(leg.services.executed_rules)),
        features=tuple(sorted(leg.services.features)),
        payload_may_override_claims=leg.services.payload_may_override_claims,
        flushed=trace.flushed,
        executions=tuple(_execution(item, hide) for item in trace.executions),
        outcome=result,
        digest="",
    )


def stamped(record: FlowRecord) -> FlowRecord:
    """The record with the digests that fit what it says."""
    record = record.model_copy(update={"schema_id": SCHEMA, "digest": digest(record.outcome)})
    data = record.model_dump(
        mode="json", by_alias=True, exclude={"parts": True, "actions": {"__all__": {"source", "last_good"}}}
    )
    parts = digests(data)
    for index, action in enumerate(record.actions):
        for name, source in (("source", action.source), ("last_good", action.last_good)):
            if source is not None:
                parts |= {f"$.actions[{index}].{name}{path}": at for path, at in source_digests(source)}
    return record.model_copy(update={"parts": parts})


def check_whole(record: FlowRecord, name: str, place: str = "$") -> None:
    """See that nothing in the record was changed since it was written.

    Args:
        name: of the file or address that it came from.
        place: JSON path of the record in it.

    Raises:
        InputError: `damaged_record`, with the JSON path of the first part that was changed.
    """
    if record.schema_id == FIRST_SCHEMA:
        return
    found = damage(record.model_dump(mode="json", by_alias=True))
    if found is not None:
        raise InputError(
            "damaged_record",
            f"{name} is damaged: {place}{found.removeprefix('$')}",
            next_step="Fetch the record again; to run other sources or events, see --with and --case.",
            source=name,
        )


@cache
def _release() -> str:
    try:
        return metadata.version("actionbox")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return ""


def _hidden(hide: Redactor | None, value: Any) -> Any:
    return value if hide is None else hide.value(value)


def hidden_journal(hide: Redactor | None, journal: Mapping[str, Any]) -> Any:
    """The data of a journal with marks in place of secrets, in bodies too."""
    if hide is None or hide.idle:
        return journal
    return hide.value(with_bodies(journal, hide.text))


def _execution(trace: ExecutionTrace, hide: Redactor | None) -> RecordedExecution:
    return RecordedExecution(
        action=trace.action,
        limits=trace.limits,
        clock=trace.clock,
        journal=hidden_journal(hide, trace.journal.to_data()),
    )


def comparable(outcome: FlowOutcome) -> dict[str, Any]:
    """The outcome without what differs when nothing did: times, memory, handles and ids."""
    data = outcome.to_dict()
    for name in ("execution_id", "timing"):
        data.pop(name)
    if data["suspension"] is not None:
        for name in ("handle", "expires_at"):
            data["suspension"].pop(name)
    for action in data["actions"]:
        action.pop("statistics")
        for entry in action["logs"]:
            entry.pop("at_ms")
    for failure in (data["failure"], *(action["failure"] for action in data["actions"])):
        if failure is not None and failure["code"] == FailureCode.TIMEOUT:
            # Where the clock caught the Action is chance.
            for name in ("message", "place", "stack", "detail"):
                failure.pop(name)
    return data


def digest(comparable_outcome: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON, in hex."""
    text = json.dumps(comparable_outcome, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record's file, readable by its owner only: events hold personal data.

    Raises:
        InputError: `unwritable`.
    """
    text = json.dumps(record.model_dump(mode="json", by_alias=True), indent=1)
    temporary = None
    try:
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise InputError("unwritable", f"record {path} cannot be written: {error.strerror}") from None


def with_secrets(record: FlowRecord, secrets: Sequence[Mapping[str, str]]) -> FlowRecord:
    """The record with the marks of secrets turned back into values."""
    restore = restorer(record.tag, secrets)
    data = record.model_dump(mode="json", by_alias=True, include={"state", "executions", "outcome"})
    return record.model_copy(
        update={
            "state": restore(data["state"]),
            "executions": tuple(
                RecordedExecution(**{**restored, "journal": with_bodies(restored["journal"], restore)})
                for restored in map(restore, data["executions"])
            ),
            "outcome": restore(data["outcome"]),
        }
    )
