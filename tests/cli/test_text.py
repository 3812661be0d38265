"""What tenants write cannot steer a terminal, whatever it is."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.problems import excerpt_with_caret
from runner.flow.redact import Redactor
from runner.model.text import one_line, printable

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]))


@given(ANY_TEXT)
def test_no_control_or_format_character_is_left(text: str) -> None:
    shown = printable(text)
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cs")} - {"\n", "\t"}
    assert not left
    assert not any(char in shown for char in "\u202e\u2066\u200f\u2028\ufeff\u061c\U000e0041")
    shown.encode("utf-8")


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert len(one_line(text, 10)) <= 10


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb", "a\\x0db"),
        ("a\u202eb", "a\\u202eb"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("héllo 👩‍👩‍👧 日本 עברית", "héllo 👩‍👩‍👧 日本 עברית"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


class TestCaret:
    @given(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=400), st.integers(-5, 500))
    def test_any_line_and_column_give_a_short_line(self, line: str, column: int) -> None:
        shown, caret = excerpt_with_caret(line, column)
        assert caret is not None
        assert caret.strip() == "^"
        assert len(shown) <= 122 * 10, "at most ten characters of escape for one of text"

    @pytest.mark.parametrize(
        ("line", "column", "under"),
        [
            ("abc", 1, 0),
            ("abc", 3, 2),
            ("abc", 4, 3),
            ("\tabc", 2, 4),
            ("日本x", 3, 4),
            ("\x1bx", 2, 4),
            ("abc", 99, 3),
        ],
    )
    def test_it_points_at_the_column(self, line: str, column: int, under: int) -> None:
        _, caret = excerpt_with_caret(line, column)
        assert caret == " " * under + "^"

    def test_a_long_line_is_cut_around_the_column(self) -> None:
        shown, caret = excerpt_with_caret("x" * 1000 + "HERE" + "y" * 1000, 1001)
        assert caret is not None
        assert shown[caret.index("^") :].startswith("HERE")
        assert len(shown) < 130


class TestRedaction:
    def test_values_of_eight_characters_and_more(self) -> None:
        redactor = Redactor([{"A": "12345678", "B": "1234567"}])
        assert redactor.text("12345678 1234567") == "[secret A] 1234567"

    def test_the_longest_value_is_taken_first(self) -> None:
        redactor = Redactor([{"SHORT": "password"}, {"LONG": "password-and-more"}])
        assert redactor.text("a password-and-more") == "a [secret LONG]"

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40))
    def test_json_text_holds_no_value_either(self, secret: str) -> None:
        redactor = Redactor([{"KEY": secret}])
        for text in (json.dumps({"a": secret}), json.dumps({"a": secret}, ensure_ascii=False), secret):
            assert secret not in redactor.text(text).replace("[secret KEY]", "")
            assert "[secret KEY]" in redactor.text(text)

    def test_keys_lists_and_depths(self) -> None:
        redactor = Redactor([{"KEY": "12345678"}])
        value = {"12345678": ["x12345678", {"a": ("12345678", 1, None)}]}
        assert redactor.value(value) == {"[secret KEY]": ["x[secret KEY]", {"a": ("[secret KEY]", 1, None)}]}

    def test_without_secrets_nothing_is_copied(self) -> None:
        value = {"a": [1]}
        assert Redactor([{}]).value(value) is value
