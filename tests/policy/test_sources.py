"""Sources that are no Python, or that try to break the compiler."""

from __future__ import annotations

import pytest

from sandbox.core.caps import MAX_SOURCE_BYTES, MAX_SOURCE_LINES
from sandbox.core.failure import FailureCode
from tests.policy.check import Policy


def test_syntax_errors(policy: Policy) -> None:
    """It names file, line, column and the line itself."""
    failure = policy.failure("x = 1\ndef f(:\n    pass")
    assert failure.code is FailureCode.SYNTAX
    assert failure.message == "invalid syntax"
    assert failure.place is not None
    assert (failure.place.file, failure.place.line, failure.place.column) == ("rule.py", 2, 7)
    assert failure.place.excerpt == "def f(:"


def test_columns_of_syntax_errors_count_characters(policy: Policy) -> None:
    """It counts characters, not bytes."""
    failure = policy.failure("x = 'äöü€' )")
    assert failure.place is not None
    assert failure.place.column == 12


@pytest.mark.parametrize(
    "source", ["def f():\nreturn 1", "if 1:\n\tx\n        y", "return 1\n  x", "'unclosed", "x = (1,"]
)
def test_more_syntax_errors(policy: Policy, source: str) -> None:
    """It refuses what does not parse, with a place."""
    failure = policy.failure(source)
    assert failure.code is FailureCode.SYNTAX
    assert failure.place is not None
    assert failure.place.line >= 1


@pytest.mark.parametrize(
    "source", ["return 1", "await x", "yield 1", "break", "nonlocal x", "def f():\n    x = 1\n    global x"]
)
def test_errors_of_the_compiler(policy: Policy, source: str) -> None:
    """It refuses what parses but does not compile, with a place."""
    failure = policy.failure(source)
    assert failure.code is FailureCode.SYNTAX, failure
    assert failure.place is not None


def test_nul(policy: Policy) -> None:
    """It refuses NUL, with its place."""
    failure = policy.failure("x = 1\ny = '\0'")
    assert (failure.code, failure.message) == (FailureCode.SYNTAX, "The source contains a NUL character.")
    assert failure.place is not None
    assert (failure.place.line, failure.place.column) == (2, 6)


def test_lone_surrogates(policy: Policy) -> None:
    """It refuses half a surrogate pair, with its place."""
    failure = policy.failure("x = '\ud800'")
    assert failure.code is FailureCode.SYNTAX
    assert failure.place is not None
    assert (failure.place.line, failure.place.column) == (1, 6)


def test_byte_order_mark(policy: Policy) -> None:
    """It ignores a byte order mark."""
    assert policy.prints("\ufeffprint('in')") == ["in"]
    assert policy.refused("\ufeffopen('x')")[:2] == (1, 1)


def test_encoding_cookies(policy: Policy) -> None:
    """It ignores encoding cookies: a source is text."""
    assert policy.prints("# -*- coding: latin-1 -*-\nprint('ä')") == ["ä"]
    assert policy.prints("# coding: utf-7\nprint('+AGEAYg-')") == ["+AGEAYg-"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(policy: Policy, end: str) -> None:
    """It takes any line end, and form feeds, and counts lines as Python does."""
    assert policy.prints(f"x = 1{end}\x0cprint(x)") == ["1"]
    line, column, _ = policy.refused(f"x = '\u2028'{end}y = 2{end}open(x)")
    assert (line, column) == (3, 1)


def test_trailing_comment(policy: Policy) -> None:
    """It takes a source that ends in a comment without a line end."""
    assert policy.build("x = 1 # end").exports == ()


def test_size(policy: Policy) -> None:
    """It takes sources of the largest size and refuses one byte more."""
    text = "#" * MAX_SOURCE_BYTES
    assert policy.build(text).exports == ()
    failure = policy.failure(text + "#")
    assert failure.code is FailureCode.OUTPUT
    assert (
        failure.message
        == f"The source rule.py has {MAX_SOURCE_BYTES + 1} bytes; it may have {MAX_SOURCE_BYTES} bytes."
    )


def test_lines(policy: Policy) -> None:
    """It takes as many lines as may be and refuses one more."""
    text = "\n" * (MAX_SOURCE_LINES - 1)
    assert policy.build(text).exports == ()
    assert policy.failure(text + "\n").code is FailureCode.OUTPUT


@pytest.mark.parametrize("text", ["PK\x03\x04", "\x7fELF", "\x89PNG\r\n", "import json\nPK\x05\x06"])
def test_binary(policy: Policy, text: str) -> None:
    """It refuses files that are no text."""
    assert policy.failure(text).code is FailureCode.SYNTAX


BOMBS = {
    "parentheses": "(" * 40_000 + ")" * 40_000,
    "brackets": "x = " + "[" * 40_000,
    "unary": "x = " + "-" * 90_000 + "1",
    "not": "x = " + "not " * 20_000 + "1",
    "sum": "x = " + "1+" * 40_000 + "1",
    "attributes": "x = a" + ".b" * 40_000,
    "calls": "x = a" + "()" * 40_000,
    "subscripts": "x = a" + "[0]" * 30_000,
    "lambdas": "x = " + "lambda:" * 10_000 + "1",
    "conditionals": "x = " + "a if b else " * 7_000 + "1",
    "f-strings": "x = " + 'f"{' * 20_000,
    "dicts": "x = " + "{1:" * 30_000,
    "elif": "if a: pass\n" + "elif a: pass\n" * 7_000,
    "indentation": "".join(" " * i + "if 1:\n" for i in range(400)) + " " * 400 + "pass",
    "with": "with " + ",".join(["a"] * 40_000) + ": pass",
    "power": "x = " + "1**" * 30_000 + "1",
    "patterns": "match x:\n case " + "[" * 40_000 + "]" * 40_000 + ": pass",
    "targets": "(" * 200 + "x" + ",)" * 200 + " = 1",
}


@pytest.mark.parametrize("name", BOMBS)
def test_nesting_bombs(policy: Policy, name: str) -> None:
    """It refuses sources nested too deeply for the compiler, cleanly and soon."""
    failure = policy.failure(BOMBS[name])
    assert failure.code is FailureCode.SYNTAX, failure
    assert policy.prints("print('unharmed')") == ["unharmed"]


def test_constant_folding_bombs(policy: Policy) -> None:
    """It compiles large constant expressions without computing them."""
    source = (
        "def f():\n    return 10 ** 10 ** 10, 'x' * 10 ** 10, (1,) * 10 ** 10, 1 << 10 ** 10\nprint('built')"
    )
    assert policy.prints(source) == ["built"]


@pytest.mark.parametrize(
    "width", ["{" + "1:1," * 24_000 + "}", "[" + "1," * 49_000 + "]", "'" + "x" * 99_000 + "'"]
)
def test_wide_sources(policy: Policy, width: str) -> None:
    """It takes wide sources."""
    assert policy.build("x = " + width).exports == ()


def test_many_problems(policy: Policy) -> None:
    """It reports the first problem and how many there are."""
    failure = policy.failure("import os\nopen('x')\neval('y')")
    assert failure.place is not None
    assert failure.place.line == 1
    assert failure.detail["problems"] == 3


def test_break_out(policy: Policy) -> None:
    """It compiles the source as its own unit: nothing it contains ends up in other text."""
    assert policy.failure("});\nimport os").code is FailureCode.SYNTAX
    assert policy.prints("'''\n\"\"\"); import os\n'''\nprint('text')") == ["text"]
