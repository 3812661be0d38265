"""JSON from guests: equal to the library's where both agree, and refused, typed, where JSON ends."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.core.json_text import JsonRefusedError, cut, depth, encode, parse, utf8_length, well_formed
from tests.drawn import examples

MANY = 10_000_000

numbers = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
surrogates = st.text(st.characters(categories=["Cs", "Lu"]) | st.sampled_from('😀"\\[{\x00'))


def refused(text: str, **limits: int) -> str:
    with pytest.raises(JsonRefusedError) as caught:
        parse(text, **{"max_bytes": MANY, **limits})
    return caught.value.reason


@given(plain, st.booleans())
def test_json_values_come_back(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only), max_bytes=MANY) == value
    assert json.loads(encode(value)) == value


@given(st.recursive(surrogates, lambda i: st.lists(i) | st.dictionaries(surrogates, i)), st.booleans())
def test_lone_surrogates_are_replaced_everywhere(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    parsed = parse(text, max_bytes=MANY)
    written = json.dumps(parsed, ensure_ascii=False)
    assert written == well_formed(written)
    assert json.loads(encode(parsed)) == parsed


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert parse('["\\ud83d\\ude00","\\ude00\\ud83d",{"\\ud800k":1}]', max_bytes=99) == [
        "😀",
        "��",
        {"�k": 1},
    ]


@examples(60)
@given(st.text() | st.text(st.sampled_from('[]{}",:\\u1dD8e+-.0NaInfity \n')))
def test_any_text_parses_or_is_refused(text: str) -> None:
    reason = "syntax"
    try:
        value = parse(text, max_bytes=1000, max_depth=8)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except JsonRefusedError as error:
        reason = error.reason
    assert reason in ("size", "depth", "number", "syntax")


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "[NaN]", "1e999", "-1e400", "9" * 309, "9" * 5000]
)
def test_numbers_that_json_or_a_double_does_not_have_are_refused(text: str) -> None:
    assert refused(text) == "number"


def test_numbers_at_the_edge_are_kept() -> None:
    assert parse("9" * 308, max_bytes=999) == int("9" * 308)
    assert parse("1e308", max_bytes=999) == 1e308
    assert math.copysign(1, parse("-0.0", max_bytes=999)) == -1


def test_of_equal_keys_the_last_counts() -> None:
    assert parse('{"a":1,"a":2}', max_bytes=99) == {"a": 2}


def test_the_cap_on_bytes_counts_utf8() -> None:
    assert parse('"éé"', max_bytes=6) == "éé"
    assert refused('"éé"', max_bytes=5) == "size"
    assert refused('"\ud800"', max_bytes=4) == "size"


def nested(levels: int, opened: str = "[", closed: str = "]") -> str:
    return opened * levels + closed * levels


@pytest.mark.parametrize("levels", [1, 8])
def test_nesting_up_to_the_cap_is_taken(levels: int) -> None:
    assert parse(nested(levels), max_bytes=MANY, max_depth=8) is not None
    assert parse(nested(levels, '{"a":', "}").replace(":}", ":1}"), max_bytes=MANY, max_depth=8)


@pytest.mark.parametrize("levels", [9, 1000, 100_000])
def test_nesting_beyond_the_cap_is_refused_before_it_is_parsed(levels: int) -> None:
    assert refused(nested(levels), max_depth=8) == "depth"
    assert refused('{"a":' * levels, max_depth=8) == "depth"


def test_brackets_in_strings_are_no_nesting() -> None:
    assert parse(json.dumps(["[" * 500, '"{\\"[' * 50]), max_bytes=MANY, max_depth=2)
    assert parse(json.dumps({"[{" * 500: 1}), max_bytes=MANY, max_depth=1)
    assert depth('["\\\\"[[]]]', 64) == 3


@given(plain)
def test_depth_is_what_a_walk_finds(value: Any) -> None:
    def walk(part: Any) -> int:
        if isinstance(part, dict):
            return 1 + max((walk(inner) for inner in part.values()), default=0)
        if isinstance(part, list):
            return 1 + max((walk(inner) for inner in part), default=0)
        return 0

    assert depth(json.dumps(value), 10_000) == walk(value)


@pytest.mark.parametrize("unit", ['\\"', '"', '\\\\"', "[]", '"[', "\\"])
def test_hostile_text_is_scanned_in_linear_time(unit: str) -> None:
    """Would take minutes if it were quadratic; the bound is generous for a busy machine."""
    text = '["' + unit * (2_000_000 // len(unit))
    begun = time.perf_counter()
    depth(text, 2_000_000)
    assert time.perf_counter() - begun < 5


@given(st.text(st.characters(categories=["Cs", "Lu", "So"])))
def test_well_formed_text_encodes_and_keeps_the_rest(text: str) -> None:
    fixed = well_formed(text)
    fixed.encode()
    try:
        text.encode()
    except UnicodeEncodeError:
        assert "�" in fixed or any(ord(character) > 0xFFFF for character in fixed)
    else:
        assert fixed == text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 30))
def test_a_cut_keeps_whole_characters_and_counts_the_rest(text: str, room: int) -> None:
    kept, left_out = cut(text, room)
    assert text.startswith(kept)
    assert utf8_length(kept) <= room
    assert utf8_length(kept) + left_out == utf8_length(text)
    assert left_out == 0 or room - utf8_length(kept) < 4
