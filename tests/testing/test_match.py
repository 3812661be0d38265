"""Expectations: what matches, what differs and where."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.testing.cases.match import MATCHERS, check_expectation, differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_everything_matches_itself(value: Any) -> None:
    assert differences(value, value) == []
    assert differences({"$exactly": value}, value) == []


@given(JSON, JSON)
def test_any_pair_compares_without_an_exception(expected: Any, found: Any) -> None:
    for difference in differences(expected, found):
        assert difference.path.startswith("$")
        assert str(difference)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": None}, {}),
        ({"a": None}, {"a": None}),
        ({}, {"a": 1}),
        ([1, {"a": 2}], [1, {"a": 2, "b": 3}]),
        (1, 1.0),
        ({"$any": True}, 0),
        ({"a": {"$absent": True}}, {}),
        ({"$contains": "ell"}, "hello"),
        ({"$contains": {"a": 1}}, [{"b": 2}, {"a": 1, "c": 3}]),
        ({"$regex": "^h.*o$"}, "hello"),
        ({"$length": 2}, [1, 2]),
        ({"$length": 5}, "hello"),
        ({"$exactly": {"a": [1]}}, {"a": [1]}),
        ({"$unordered": [{"a": 1}, {}]}, [{"b": 1}, {"a": 1}]),
        ({"$unordered": []}, []),
        ({"$not": "x"}, "y"),
        ({"$not": {"$contains": "x"}}, ["y"]),
        ({"a": {"$not": {"$any": True}}}, {}),
    ],
)
def test_what_matches(expected: Any, found: Any) -> None:
    assert differences(expected, found) == []
    assert check_expectation(expected) == []


@pytest.mark.parametrize(
    ("expected", "found", "paths"),
    [
        ({"a": 1, "b": 2}, {"a": 2}, ["$.a", "$.b"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["$.a.b[1]"]),
        ([1], [1, 2], ["$"]),
        ({"a b": 1}, {}, ["$['a b']"]),
        (True, 1, ["$"]),
        (0, False, ["$"]),
        ("1", 1, ["$"]),
        (None, 0, ["$"]),
        ({}, [], ["$"]),
        ([], {}, ["$"]),
        ({"$any": True}, None, ["$"]),
        ({"$absent": True}, 0, ["$"]),
        ({"$contains": "x"}, "hello", ["$"]),
        ({"$contains": "x"}, 5, ["$"]),
        ({"$regex": "x"}, 5, ["$"]),
        ({"$length": 1}, 5, ["$"]),
        ({"$exactly": {"a": 1}}, {"a": 1, "b": None}, ["$"]),
        ({"$exactly": 1}, True, ["$"]),
        ({"$unordered": [1, 1]}, [1, 2], ["$"]),
        ({"$not": {"a": 1}}, {"a": 1, "b": 2}, ["$"]),
    ],
)
def test_what_differs(expected: Any, found: Any, paths: list[str]) -> None:
    assert [difference.path for difference in differences(expected, found)] == paths


def test_unordered_finds_the_one_assignment_that_fits() -> None:
    assert differences({"$unordered": [{"$any": True}, 1, {"$regex": "a"}]}, ["ab", 1, 2]) == []


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ({"a": {"$contain": 1}}, "$contain"),
        ({"$any": True, "b": 1}, "alone"),
        ({"$regex": "("}, "pattern"),
        ({"$regex": 5}, "pattern"),
        ({"$length": "2"}, "whole number"),
        ({"$length": True}, "whole number"),
        ({"$any": False}, "takes true"),
        ({"$unordered": {}}, "takes a list"),
        ({"$not": {"$nope": 1}}, "$nope"),
        ([{"$nope": 1}], "$[0]"),
    ],
)
def test_mistakes_in_an_expectation(expected: Any, word: str) -> None:
    (sentence,) = check_expectation(expected)
    assert word in sentence


def test_every_matcher_is_documented() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    assert [name for name in MATCHERS if f"`{{{name}:" not in page] == []
