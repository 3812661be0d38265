"""Execution records: every leg of one execution as the service kept it.

The same JSON object is what `GET /runtime/v1/executions/{id}/record` answers, what a file on disk holds and
what `actionbox replay` reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from runner.model.caps import MAX_RECORD_FILE_BYTES, MAX_RECORD_LEGS
from runner.project.jsonfile import parse_json, read_text
from runner.replay.parsing import parse_model
from runner.replay.record import FlowRecord, check_whole

SCHEMA: Final = "actionbox.execution-record/1"


class ExecutionRecord(BaseModel):
    """One execution on record.

    Attributes:
        form: `redacted` is what people see by default; `plain` is what the Actions saw.
        kept_because: the part of the policy that kept it.
        policy: the tenant's policy when it was kept, as the Management API shows it.
        redaction: what the redaction touched, and under which rules; None for a plain record.
        fidelity: whether the redacted form still does what the plain one did; None when nobody has looked.
        created_at, expires_at: with their time zone; an `expires_at` of None is never.
        legs: in order; more than one for a flow that suspended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_id: Literal["actionbox.execution-record/1"] = Field(default=SCHEMA, alias="schema")
    execution_id: str
    tenant: str
    trigger: str
    form: Literal["redacted", "plain"]
    kept_because: Literal["failures", "denials", "sample", "all"]
    policy: dict[str, Any] = Field(default_factory=dict)
    redaction: dict[str, Any] | None = None
    fidelity: dict[str, Any] | None = None
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    legs: tuple[FlowRecord, ...] = Field(min_length=1, max_length=MAX_RECORD_LEGS)

    def to_json(self) -> str:
        """The JSON text that `parse_execution_record` reads."""
        return self.model_dump_json(by_alias=True)


def parse_execution_record(text: str, name: str) -> ExecutionRecord:
    """The record in JSON text, seen to be whole. `name`: of the file or address that it came from.

    Raises:
        InputError: `not_json`, `too_deep`, `other_schema`; `invalid_record` and `damaged_record` with the
            JSON path of what does not fit.
    """
    return checked_execution_record(parse_json(text, "record", name), name)


def checked_execution_record(data: Any, name: str) -> ExecutionRecord:
    """The same of parsed JSON."""
    record = parse_model(ExecutionRecord, data, name)
    for index, leg in enumerate(record.legs):
        check_whole(leg, name, f"$.legs[{index}]")
    return record


def read_execution_record(path: Path) -> ExecutionRecord:
    """The record in a file. Raises `InputError` as `parse_execution_record` does, and as reading a file."""
    text = read_text(path, "record", limit=MAX_RECORD_FILE_BYTES)
    return parse_execution_record(text, str(path))
