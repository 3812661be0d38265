"""Records: one leg with its sources, its state and its journals, to be run again bit by bit.

A record replays exactly because everything an Action saw is in it: the flow's state at the start, and
every host call with its answer. Secret values are taken out (`--record-secrets` keeps them): wherever one
occurs there stands a mark with the record's own random tag, which a replay turns back into the value it
is given, so that an Action that logs such a mark itself cannot draw a secret out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets as tokens
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runner.flow.leg_trace import ExecutionTrace, LegTrace
from runner.flow.redact import Form, Redactor, forms
from runner.model.caps import MAX_RECORD_FILE_BYTES
from runner.model.errors import InputError
from runner.model.outcome import FlowOutcome, ResumePoint
from runner.project.jsonfile import read_text
from runner.suspension.stores import PinnedAction
from sandbox.core.caps import Limits
from sandbox.core.failure import FailureCode

SCHEMA: Final = "actionbox.record/1"
_MARK: Final = "[secret "
_LONGEST_MARK: Final = 1_000
"""Characters, with room to spare: the names of a module and of its secret are the longest part."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordedExecution(_Record):
    """See `ExecutionTrace`; `journal` as `Journal.to_data` makes it."""

    action: int
    limits: Limits
    clock: tuple[float, ...]
    journal: Any


class FlowRecord(_Record):
    """One leg on file.

    Attributes:
        tag: random; part of the marks that stand for secrets.
        secrets: by Action, those of its modules included (`runner.model.secret_names`), with
            `--record-secrets`; None when they were taken out.
        state: the trigger's state at the start of the leg.
        redirect_state: what a redirect of this leg carries.
        outcome: what came out, without what differs from run to run, see `comparable`.
        digest: SHA-256 of it, so that altering one of them shows.
    """

    schema_id: str = Field(default=SCHEMA, alias="schema")
    tag: str
    tenant: str
    execution_id: str
    number: int
    trigger: str
    trigger_version: str
    actions: tuple[PinnedAction, ...]
    secrets: tuple[dict[str, str], ...] | None
    state: Any
    start: ResumePoint | None
    limits: Limits
    budget_ms: int
    redirect_state: str
    executed_rules: tuple[str, ...]
    features: tuple[str, ...]
    payload_may_override_claims: bool
    flushed: int
    executions: tuple[RecordedExecution, ...]
    outcome: dict[str, Any]
    digest: str


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
    leg, tag = trace.leg, tokens.token_hex(8)
    secrets = tuple(action.every_secret for action in leg.actions)
    hide = None if keep_secrets else _Marker(tag, secrets)
    result = comparable(outcome)
    return FlowRecord(
        tag=tag,
        tenant=trace.tenant,
        execution_id=trace.execution_id,
        number=trace.number,
        trigger=leg.trigger.id,
        trigger_version=leg.trigger.version,
        actions=tuple(PinnedAction.of(action) for action in leg.actions),
        secrets=secrets if keep_secrets else None,
        state=_hidden(hide, leg.state.model_dump(mode="json")),
        start=leg.start,
        limits=leg.limits,
        budget_ms=leg.budget_ms,
        redirect_state=leg.services.redirect_state,
        executed_rules=tuple(sorted(leg.services.executed_rules)),
        features=tuple(sorted(leg.services.features)),
        payload_may_override_claims=leg.services.payload_may_override_claims,
        flushed=trace.flushed,
        executions=tuple(_execution(item, hide) for item in trace.executions),
        outcome=_hidden(hide, result),
        digest=digest(result),
    )


class _Marker(Redactor):
    """Puts marks that can be turned back: they tell Actions and forms apart, and nobody can guess them."""

    _names_parts = True

    def __init__(self, tag: str, secrets: Sequence[Mapping[str, str]]) -> None:
        self._tag = tag
        super().__init__(secrets)

    def _mark(self, form: Form, skipped: int) -> str:
        """`+N`: without its first N characters, which belong to the mark before (secrets may overlap)."""
        rest = f"+{skipped}" if skipped else ""
        return f"{_MARK}{form.index}.{form.name}.{form.number}{rest} {self._tag}]"


def _hidden(hide: Redactor | None, value: Any) -> Any:
    return value if hide is None else hide.value(value)


def _execution(trace: ExecutionTrace, hide: Redactor | None) -> RecordedExecution:
    return RecordedExecution(
        action=trace.action,
        limits=trace.limits,
        clock=trace.clock,
        journal=_hidden(hide, trace.journal.to_data()),
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


def write_record(path: Path, record: FlowRecord) -> None:
    """Write the file, readable by its owner only: events hold personal data.

    Raises:
        InputError: `unwritable`.
    """
    text = json.dumps(record.model_dump(mode="json", by_alias=True), indent=1)
    try:
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError("unwritable", f"record {path} cannot be written: {error.strerror}") from None
    try:
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise InputError("unwritable", f"record {path} cannot be written: {error.strerror}") from None


def read_record(path: Path) -> FlowRecord:
    """The record in a file.

    Raises:
        InputError: `invalid_record`, or as reading a file does.
    """
    text = read_text(path, "record", limit=MAX_RECORD_FILE_BYTES)
    try:
        return FlowRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise InputError(
            "invalid_record",
            f"{path} is not a record: ${place}: {first['msg']}",
            next_step="Records are written by `actionbox run --record FILE`.",
            source=str(path),
        ) from None


def with_secrets(record: FlowRecord, secrets: Sequence[Mapping[str, str]]) -> FlowRecord:
    """The record with the marks of secrets turned back into values."""
    values = {
        f"{index}.{name}.{number}": form
        for index, mapping in enumerate(secrets)
        for name, value in mapping.items()
        for number, form in enumerate(forms(value))
    }
    restore = partial(_turned_back, end=f" {record.tag}]", values=values)
    data = record.model_dump(mode="json", by_alias=True)
    for name in ("state", "executions", "outcome"):
        data[name] = _restored(data[name], restore)
    return FlowRecord.model_validate(data)


def _turned_back(text: str, end: str, values: Mapping[str, str]) -> str:
    """`text` with values in place of marks, all of which end with `end`."""
    *before, rest = text.split(end)
    return "".join((*(_with_value(part, values) or part + end for part in before), rest))


def _with_value(text: str, values: Mapping[str, str]) -> str | None:
    """`text` with the value that the mark at its end stands for; None when there is none. Names may hold
    anything, so each beginning of a mark is tried."""
    least = max(0, len(text) - _LONGEST_MARK)
    at = text.rfind(_MARK, least)
    while at >= 0:
        key = text[at + len(_MARK) :]
        head, _, skipped = key.rpartition("+")
        if key in values:
            return text[:at] + values[key]
        if head in values and skipped.isdecimal():
            return text[:at] + values[head][int(skipped) :]
        at = text.rfind(_MARK, least, at)
    return None


def _restored(value: Any, restore: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return restore(value)
    if isinstance(value, dict):
        return {restore(key): _restored(item, restore) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, restore) for item in value]
    return value
