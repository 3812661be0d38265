"""Execution records: the shape that service, files and command line share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner import InputError, Runner
from runner.replay.execution_record import ExecutionRecord
from runner.replay.record import Recorder
from runner.replay.recorded import parse_recorded, read_recorded
from tests.flow.actions import javascript
from triggers import get_trigger


@pytest.fixture(scope="module")
def record() -> ExecutionRecord:
    recorder = Recorder()
    outcome = Runner(observer=recorder).run(
        "post-login", get_trigger("post-login").example_event, [javascript("api.access.deny('no');")]
    )
    return ExecutionRecord(
        execution_id=outcome.execution_id,
        tenant=outcome.tenant,
        trigger="post-login",
        form="plain",
        kept_because="denials",
        policy={"keep": ["denials"]},
        created_at=datetime.now(UTC),
        legs=(recorder.record(outcome),),
    )


def test_it_is_read_back_as_it_was_written(record: ExecutionRecord, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text(record.to_json(), encoding="utf-8")
    assert read_recorded(file).envelope == record
    assert json.loads(record.to_json())["schema"] == "actionbox.execution-record/1"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"form": "open"}, "$.form"),
        ({"created_at": "yesterday"}, "$.created_at"),
        ({"legs": []}, "$.legs"),
        ({"other": 1}, "$.other"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(
    record: ExecutionRecord, change: dict[str, Any], place: str
) -> None:
    text = json.dumps({**json.loads(record.to_json()), **change})
    with pytest.raises(InputError, match=f"a.json is not a record: \\{place}:") as caught:
        parse_recorded(text, "a.json")
    assert caught.value.code == "invalid_record"


def test_the_place_inside_of_a_leg_is_told(record: ExecutionRecord) -> None:
    data = json.loads(record.to_json())
    del data["legs"][0]["tag"]
    with pytest.raises(InputError, match=r"\$\.legs\[0\]\.tag: Field required"):
        parse_recorded(json.dumps(data), "a.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a":' * 200 + "1" + "}" * 200, "NaN"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_recorded(text, "a.json")


def test_a_schema_of_another_release_is_told_as_such(record: ExecutionRecord) -> None:
    text = json.dumps({**json.loads(record.to_json()), "schema": "actionbox.execution-record/9"})
    with pytest.raises(
        InputError, match=r"schema actionbox\.execution-record/9; this release reads"
    ) as caught:
        parse_recorded(text, "a.json")
    assert caught.value.code == "other_schema"
