"""What a file or a service holds of one execution: a whole execution record, or a single leg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.model.caps import MAX_RECORD_FILE_BYTES
from runner.project.jsonfile import parse_json, read_text
from runner.replay.execution_record import ExecutionRecord, checked_execution_record
from runner.replay.parsing import parse_model
from runner.replay.record import FlowRecord, check_whole

_WHOLE: Final = "actionbox.execution-record/"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Attributes:
    name: of the file or address that it came from, for messages.
    envelope: None for a single leg, as `actionbox run --record` writes it.
    """

    name: str
    legs: tuple[FlowRecord, ...]
    envelope: ExecutionRecord | None = None

    @property
    def execution_id(self) -> str:
        return self.legs[0].execution_id


def parse_recorded(text: str, name: str) -> Recorded:
    """The record in JSON text, seen to be whole.

    Raises:
        InputError: `not_json`, `too_deep`, `other_schema`, `invalid_record`, `damaged_record`.
    """
    data = parse_json(text, "record", name)
    if isinstance(data, dict) and str(data.get("schema")).startswith(_WHOLE):
        envelope = checked_execution_record(data, name)
        return Recorded(name, envelope.legs, envelope)
    record = parse_model(FlowRecord, data, name)
    check_whole(record, name)
    return Recorded(name, (record,))


def read_recorded(path: Path) -> Recorded:
    """The record in a file. Raises `InputError` as `parse_recorded` does, and as reading a file."""
    return parse_recorded(read_text(path, "record", limit=MAX_RECORD_FILE_BYTES), str(path))
