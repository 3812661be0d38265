"""The journal through JSON, and what a journal that does not fit is told."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.port.journal import REPEATABLE, SHAPES, Entry, Journal, JournalError
from tests.drawn import examples

counts = st.integers(0, 2**31)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
facts = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | numbers | st.text(max_size=5), max_size=3
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=20),
    "flag": st.booleans(),
    "number": numbers,
    "number or null": st.none() | numbers,
    "whole": st.integers(-(2**63), 2**63),
    "count": counts,
    "wholes": st.lists(counts, max_size=3),
    "base64": st.binary(max_size=9).map(lambda raw: base64.b64encode(raw).decode()),
    "facts": facts,
}


def fields(shape: dict[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: KINDS[kind] for name, kind in shape.items()})


@st.composite
def entries(draw: st.DrawFn, sequence: int) -> Entry:
    operation = draw(st.sampled_from(sorted(SHAPES)))
    shape = SHAPES[operation]
    repeat = draw(st.integers(1, 9)) if operation in REPEATABLE else 1
    return Entry(sequence, operation, draw(fields(shape.arguments)), draw(fields(shape.result)), repeat)


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    length = draw(st.integers(0, 6))
    parts = tuple(draw(entries(number)) for number in range(1, length + 1))
    return Journal(parts, draw(st.none() | st.sampled_from(["throw", "timeout"])))


@examples(60)
@given(journals())
def test_a_journal_is_what_its_json_says(journal: Journal) -> None:
    assert Journal.from_json(journal.to_json()) == journal
    assert Journal.from_data(journal.to_data()) == journal


def assert_read_or_refused(data: Any) -> None:
    path = "$"
    try:
        Journal.from_data(data)
    except JournalError as error:
        path = error.path
    assert path.startswith("$")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@examples(60)
@given(journals(), json_values, st.data())
def test_a_journal_with_any_part_replaced_reads_or_is_refused_by_path(
    journal: Journal, other: Any, data: st.DataObject
) -> None:
    document = copy.deepcopy(journal.to_data())
    part: Any = document
    while isinstance(part, dict | list) and part:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()):
            part[key] = other
            break
        part = part[key]
    assert_read_or_refused(document)


@examples(60)
@given(json_values)
def test_any_value_is_a_journal_or_refused(value: Any) -> None:
    assert_read_or_refused(value)


def valid() -> dict[str, Any]:
    api = Entry(1, "api", {"path": "a", "arguments": "[]"}, {"reply": "", "recorded": True})
    clock = Entry(2, "wall", {}, {"ms": 5}, repeat=3)
    draw = Entry(3, "random", {"count": 1}, {"base64": "AA=="})
    return Journal((api, clock, draw)).to_data()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: d.update(version=2), "$.version"),
        (lambda d: d.pop("version"), "$.version"),
        (lambda d: d.update(outcome=1), "$.outcome"),
        (lambda d: d.update(entries={}), "$.entries"),
        (lambda d: d["entries"].__setitem__(0, 1), "$.entries[0]"),
        (lambda d: d["entries"][1].update(sequence=7), "$.entries[1].sequence"),
        (lambda d: d["entries"][0].update(operation="exec"), "$.entries[0].operation"),
        (lambda d: d["entries"][0].update(operation=[]), "$.entries[0].operation"),
        (lambda d: d["entries"][0]["arguments"].pop("path"), "$.entries[0].arguments.path"),
        (lambda d: d["entries"][0]["arguments"].update(more=1), "$.entries[0].arguments.more"),
        (lambda d: d["entries"][0]["result"].update(recorded=1), "$.entries[0].result.recorded"),
        (lambda d: d["entries"][0].update(repeat=2), "$.entries[0].repeat"),
        (lambda d: d["entries"][1].update(repeat=0), "$.entries[1].repeat"),
        (lambda d: d["entries"][1]["result"].update(ms=1.5), "$.entries[1].result.ms"),
        (lambda d: d["entries"][2]["result"].update(base64="*"), "$.entries[2].result.base64"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(change: Any, path: str) -> None:
    data = valid()
    change(data)
    with pytest.raises(JournalError) as caught:
        Journal.from_data(data)
    assert caught.value.path == path


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1", "null", '{"version":1}'])
def test_text_that_is_no_journal_is_refused(text: str) -> None:
    with pytest.raises(JournalError):
        Journal.from_json(text)
