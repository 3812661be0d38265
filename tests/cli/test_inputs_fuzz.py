"""Whatever text stands in a file, the command line gets a value or a typed error."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import FileStore, InputError, ResumeError, Runner, RunnerError
from runner.cli.inputs import gather_secrets, parse_pairs
from runner.replay.recorded import read_recorded
from runner.suspension.stores import store_key
from runner.testing.cases.load import load_stubs
from sandbox.egress import NoEgress
from tests.drawn import examples
from tests.flow.actions import both
from tests.flow.fixtures import PROGRAMS

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]), max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "file"


@examples(30)
@given(text=ANY_TEXT | JSON.map(json.dumps))
def test_secrets_files(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with contextlib.suppress(InputError):
        secrets = gather_secrets((), file)
        assert all(isinstance(value, str) and value for value in secrets.of("a").values())


@examples(30)
@given(text=ANY_TEXT | JSON.map(json.dumps))
def test_stub_files(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with contextlib.suppress(InputError):
        load_stubs(file)


@examples(30)
@given(text=ANY_TEXT | JSON.map(json.dumps))
def test_record_files(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    with pytest.raises(InputError):
        read_recorded(file)


@examples(30)
@given(values=st.lists(ANY_TEXT, max_size=4))
def test_pairs(values: list[str]) -> None:
    with contextlib.suppress(InputError):
        pairs = parse_pairs(values, "--query", "query parameter")
        assert len(pairs) == len(values)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, Path, str, dict[str, Any]]:
    """A suspended flow in a file, and its content."""
    from triggers import get_trigger

    folder = tmp_path_factory.mktemp("flows")
    runner = Runner(egress=NoEgress(), programs=PROGRAMS, store=FileStore(folder))
    event = get_trigger("post-login").example_event
    asked = runner.run("post-login", event, [both("api.prompt.render('ap_1');", "")])
    assert asked.suspension is not None
    path = folder / f"{store_key('local', asked.suspension.handle)}.json"
    return runner, path, asked.suspension.handle, json.loads(path.read_text())


@examples(30)
@given(data=st.data())
def test_a_stored_flow_with_one_value_replaced(
    stored: tuple[Runner, Path, str, dict[str, Any]], data: st.DataObject
) -> None:
    """A damaged store is refused, or the flow resumes in spite of it; nothing else happens."""
    runner, path, handle, content = stored
    changed = json.loads(json.dumps(content))
    node: Any = changed
    while isinstance(node, (dict, list)) and node:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], (dict, list)) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(JSON)
            break
        node = node[key]
    for leftover in path.parent.iterdir():
        leftover.unlink()
    runner.store.put(path.stem, json.dumps(changed), 4_000_000_000)
    with contextlib.suppress(RunnerError, ValueError):
        outcome = runner.resume(handle, prompt={})
        assert outcome.leg == changed["leg"] + 1
        assert outcome.execution_id == changed["execution_id"]


@examples(20)
@given(request=JSON, prompt=JSON, methods=JSON, enrolled=JSON)
def test_any_result_that_comes_back(
    stored: tuple[Runner, Path, str, dict[str, Any]], request: Any, prompt: Any, methods: Any, enrolled: Any
) -> None:
    runner, path, handle, content = stored
    for leftover in path.parent.iterdir():
        leftover.unlink()
    runner.store.put(path.stem, json.dumps(content), 4_000_000_000)
    with contextlib.suppress(ResumeError, ValueError):
        outcome = runner.resume(handle, request=request, prompt=prompt, methods=methods, enrolled=enrolled)
        assert (outcome.leg, outcome.execution_id) == (2, content["execution_id"])
