"""Execution records: every leg of one execution as the service kept it.

The same JSON object is what `GET /runtime/v1/executions/{id}/record` answers, what a file on disk holds and
what `actionbox replay` reads.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from runner.model.caps import MAX_RECORD_LEGS
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
        """The JSON text that `runner.replay.recorded.parse_recorded` reads."""
        return self.model_dump_json(by_alias=True)


def checked_execution_record(data: Any, name: str) -> ExecutionRecord:
    """The record in parsed JSON, seen to be whole. `name`: of the file or address that it came from.

    Raises:
        InputError: `other_schema`; `invalid_record` and `damaged_record` with the JSON path of what does not
            fit.
    """
    record = parse_model(ExecutionRecord, data, name)
    for index, leg in enumerate(record.legs):
        check_whole(leg, name, f"$.legs[{index}]")
    return record
