"""A byte that was changed in a record is told with its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner import InputError, Runner
from runner.replay.parts import damage
from runner.replay.record import (
    FlowRecord,
    LegContext,
    RecordedVersion,
    Recorder,
    check_whole,
    stamped,
    write_record,
)
from runner.replay.recorded import read_recorded
from runner.replay.replay import replay
from sandbox.core.program import Dependencies, SharedModule
from sandbox.egress import StubEgress, parse_stubs
from tests.flow.actions import javascript
from triggers import get_trigger

BODY = """
    const answer = await fetch("https://api.example/x");
    console.log(Date.now(), (await answer.json()).n, event.secrets.KEY);
    api.idToken.setCustomClaim("n", require("actions:greeter").n);
"""
Path_ = tuple[str | int, ...]


@pytest.fixture(scope="module")
def record() -> FlowRecord:
    modules = (SharedModule("greeter", "greeter.js", "module.exports = {n: 7};"),)
    action = javascript(BODY, secrets={"KEY": "a-secret-value"})
    packages = Dependencies.of(b"", (), modules)
    recorder = Recorder()
    stubs = parse_stubs([{"url": "https://api.example/x", "answer": {"json": {"n": 7}}}])
    outcome = Runner(egress=StubEgress(stubs), observer=recorder).run(
        "post-login",
        get_trigger("post-login").example_event,
        [replace(action, source=replace(action.source, dependencies=packages))],
    )
    assert outcome.effects.id_token_claims == {"n": 7}, outcome.failure
    version = RecordedVersion(action_id="a", version_id="v", number=3, arm="canary", arm_reason="share")
    context = LegContext(traceparent="00-1", versions=(version,))
    return stamped(recorder.record(outcome).model_copy(update={"context": context}))


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    elif isinstance(value, (str, bool, int, float)):
        yield path, value


def text_of(path: Path_) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def changed(data: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    inner: Any = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return data


def other(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return not value if isinstance(value, bool) else value + 1


def test_a_change_anywhere_is_told_with_its_part(record: FlowRecord) -> None:
    data = record.model_dump(mode="json", by_alias=True)
    assert damage(data) is None
    told = 0
    for path, value in leaves({name: item for name, item in data.items() if name != "parts"}):
        found = damage(changed(data, path, other(value)))
        assert found is not None, path
        place = found.partition(" ")[0]
        assert text_of(path).startswith(place), (path, found)
        told += place != "$"
    assert told > 100


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("state", "event", "user", "email"), "$.state.event.user"),
        (("actions", 0, "source", "text"), "$.actions[0].source"),
        (
            ("actions", 0, "source", "dependencies", "modules", 0, "text"),
            "$.actions[0].source.dependencies.modules[0]",
        ),
        (("executions", 0, "journal", "entries", 1, "result"), "$.executions[0].journal.entries[1]"),
        (("context", "versions", 0, "arm"), "$.context"),
        (("outcome", "decision"), "$.outcome"),
        (("budget_ms",), "$"),
    ],
)
def test_sources_events_and_answers_have_places_of_their_own(
    record: FlowRecord, path: Path_, place: str
) -> None:
    data = record.model_dump(mode="json", by_alias=True)
    assert damage(changed(data, path, "changed")) == f"{place} was changed after the record was written"


def test_parts_that_are_gone_or_added_are_told(record: FlowRecord) -> None:
    data = record.model_dump(mode="json", by_alias=True)
    entries = data["executions"][0]["journal"]["entries"]
    shorter = changed(data, ("executions", 0, "journal", "entries"), entries[:-1])
    place = f"$.executions[0].journal.entries[{len(entries) - 1}]"
    assert str(damage(shorter)).startswith(f"{place}: entries were added or left out here")
    event = {name: value for name, value in data["state"]["event"].items() if name != "user"}
    assert damage(changed(data, ("state", "event"), event)) == "$.state.event.user is missing"
    more = {**data["state"]["event"], "other": 1}
    assert "$.state.event.other was added" in str(damage(changed(data, ("state", "event"), more)))
    assert "added" in str(damage({**data, "parts": {}}))


def test_a_file_that_was_changed_is_refused_with_the_place(record: FlowRecord, tmp_path: Path) -> None:
    write_record(tmp_path / "a.json", record)
    text = (tmp_path / "a.json").read_text()
    assert read_recorded(tmp_path / "a.json").legs[0] == record
    assert text.count("require(") == 1
    (tmp_path / "a.json").write_text(text.replace("require(", "require ("))
    with pytest.raises(InputError, match=r"a\.json is damaged: \$\.actions\[0\]\.source was") as caught:
        read_recorded(tmp_path / "a.json")
    assert caught.value.code == "damaged_record"


def test_whoever_changes_a_record_stamps_it_anew(record: FlowRecord) -> None:
    state = {**record.state, "event": {**record.state["event"], "user": {"user_id": "auth0|1"}}}
    redacted = record.model_copy(update={"state": state})
    with pytest.raises(InputError, match=r"\$\.state\.event\.user"):
        check_whole(redacted, "it")
    check_whole(stamped(redacted), "it")


def test_records_of_the_release_before_are_still_read_and_run(record: FlowRecord, tmp_path: Path) -> None:
    later = {"release", "context", "engines", "fingerprints", "redirect_issuer", "parts"}
    data = record.model_dump(mode="json", by_alias=True, exclude=later)
    # Its digest was over the outcome with the secrets in it, of which there is none in this one.
    data |= {"schema": "actionbox.record/1"}
    (tmp_path / "old.json").write_text(json.dumps(data))
    old = read_recorded(tmp_path / "old.json").legs[0]
    assert old.schema_id == "actionbox.record/1"
    assert replay(old, lambda _: {"KEY": "a-secret-value"}).same
