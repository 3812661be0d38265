"""JSON that people hand in: caps, and the place of what is wrong."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import InputError
from runner.model.caps import MAX_INPUT_DEPTH, MAX_INPUT_FILE_BYTES
from runner.project.jsonfile import parse_json, read_json


def refused(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_json(text, "event", "e.json")
    return caught.value


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_is_a_value_or_a_typed_error(text: str) -> None:
    with contextlib.suppress(InputError):
        value = parse_json(text, "event", "e.json")
        assert json.loads(json.dumps(value, allow_nan=False)) == json.loads(text)


def test_line_column_and_caret() -> None:
    error = refused('{\n  "a": 1,\n  "b": oops\n}')
    assert "(line 3, column 8)" in error.message
    assert error.next_step == '  "b": oops\n       ^'


@pytest.mark.parametrize(
    "text", ["", " ", "NaN", "[Infinity]", "-Infinity", "1e999", "[1" + "0" * 400 + "]", "{'a': 1}"]
)
def test_what_json_cannot_carry(text: str) -> None:
    assert refused(text).code == "not_json"


def test_depth_has_a_cap() -> None:
    parse_json("[" * MAX_INPUT_DEPTH + "]" * MAX_INPUT_DEPTH, "event", "e.json")
    for depth in (MAX_INPUT_DEPTH + 1, 100_000):
        assert refused("[" * depth + "]" * depth).code == "too_deep"


def test_size_has_a_cap(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('"' + "x" * (MAX_INPUT_FILE_BYTES - 2) + '"')
    read_json(path, "event")
    path.write_text('"' + "x" * (MAX_INPUT_FILE_BYTES - 1) + '"')
    with pytest.raises(InputError) as caught:
        read_json(path, "event")
    assert caught.value.code == "too_large"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    codes = {}
    (tmp_path / "latin.json").write_bytes(b'"\xe9"')
    for name in ("no.json", ".", "latin.json"):
        with pytest.raises(InputError) as caught:
            read_json(tmp_path / name, "event")
        codes[name] = caught.value.code
    assert codes == {"no.json": "not_found", ".": "is_folder", "latin.json": "not_utf8"}


def test_a_byte_order_mark_is_let_pass(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "a.json", "event") == {"a": 1}
