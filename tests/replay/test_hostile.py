"""Records that anybody may have written: a result or a clear refusal, and never a fault of ours."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner import InputError, Runner
from runner.cli import main
from runner.model.errors import RunnerError
from runner.replay.record import FlowRecord, Recorder, stamped
from runner.replay.recorded import parse_recorded
from sandbox.egress import StubEgress, parse_stubs
from tests.flow.actions import javascript, python
from tests.replay.corpus import whole
from triggers import get_trigger

STUBS = parse_stubs([{"url": "https://api.example/x", "answer": {"json": {"n": 7}}}])
BODY = """
    api.cache.set("k", "v"); api.cache.get("k");
    const n = (await (await fetch("https://api.example/x")).json()).n;
    console.log(n, Date.now(), Math.random(), event.secrets.KEY);
    await new Promise((done) => setTimeout(done, 1));
    api.idToken.setCustomClaim("n", n);
"""
FAULT: Final = "fault"
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


def made() -> dict[str, Any]:
    recorder = Recorder()
    actions = [javascript(BODY, secrets={"KEY": "a-secret-value"}), python("print(event.user.email)")]
    outcome = Runner(egress=StubEgress(STUBS), observer=recorder).run(
        "post-login", get_trigger("post-login").example_event, actions
    )
    data: dict[str, Any] = json.loads(whole([recorder.record(outcome)]).to_json())
    return data


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return made()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


@st.composite
def changes(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    """The record with a few places changed, left out or doubled."""
    data = copy.deepcopy(record)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from([path for path in places(data) if "text" not in path]))
        inner: Any = data
        for part in at[:-1]:
            inner = inner[part]
        how = draw(st.sampled_from(["value", "gone", "kind"]))
        if how == "gone":
            del inner[at[-1]]
        else:
            odd: Any = st.sampled_from([None, 0, -1, 2**70, 1e308, "", "x", [], {}, True])
            inner[at[-1]] = draw(VALUES if how == "value" else odd)
    return data


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_changed_record_is_refused_with_a_place(record: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(data.draw(changes(record)))
    with contextlib.suppress(InputError):
        parse_recorded(text, "a.json")
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(InputError):
        parse_recorded(text[:cut], "a.json")


@given(
    data=st.data(), options=st.sampled_from([[], ["--step"], ["--case"], ["--with"], ["--log", "js.js:4 n"]])
)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
def test_one_that_fits_its_digests_ends_as_documented(
    record: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    data: st.DataObject,
    options: list[str],
) -> None:
    changed = data.draw(changes(record))
    with contextlib.suppress(ValidationError, RunnerError, KeyError, TypeError, AttributeError, IndexError):
        changed["legs"] = [
            json.loads(stamped(FlowRecord.model_validate(leg)).model_dump_json(by_alias=True))
            for leg in changed["legs"]
        ]
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "a.json").write_text(json.dumps(changed))
    if options == ["--case"]:
        options = ["--case", str(folder / "made.case.yaml")]
    elif options == ["--with"]:
        draft: Path = folder / "draft.js"
        draft.write_text("exports.onExecutePostLogin = async (event, api) => api.access.deny('x');")
        options = ["--with", str(draft), "--action", "js"]
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(folder / "a.json"), *options])
    out, err = capsys.readouterr()
    assert ended.value.code in (0, 1, 2)
    assert "Traceback" not in out + err
    assert FAULT not in err, err
    assert ended.value.code != 2 or err.startswith("error: "), err


def test_an_execution_with_too_many_legs_is_refused(record: dict[str, Any]) -> None:
    many = {**record, "legs": record["legs"] * 101}
    with pytest.raises(InputError, match=r"\$\.legs: Tuple should have at most 100 items"):
        parse_recorded(json.dumps(many), "a.json")
