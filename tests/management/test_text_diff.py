"""Unified diffs in bounded time."""

from __future__ import annotations

import difflib
import random

from hypothesis import given
from hypothesis import strategies as st

from runner.management.base import text_diff
from runner.management.base.text_diff import unified_diff

lines = st.lists(st.sampled_from(["a", "b", "", " c", "-d", "\r", "\u2028e"]), max_size=12).map("\n".join)


def patched(old: str, diff: str) -> str:
    """`old` with a unified diff of whole hunks applied, by the diff's own rules."""
    source = old.split("\n")
    rows = diff.split("\n")[2:]
    out: list[str] = []
    at = 0
    for row in rows:
        if row.startswith("@@"):
            begin, count = (int(part) for part in (row.split(" ")[1][1:] + ",1").split(",")[:2])
            start = begin if count == 0 else begin - 1
            out += source[at:start]
            at = start
        elif row[:1] in (" ", "-"):
            assert source[at] == row[1:]
            at += 1
            if row[0] == " ":
                out.append(row[1:])
        elif row[:1] == "+":
            out.append(row[1:])
    return "\n".join(out + source[at:])


@given(lines, lines)
def test_the_diff_makes_one_out_of_the_other(old: str, new: str) -> None:
    old, new = old + "\n", new + "\n"
    diff = unified_diff(old, new, "a", "b")
    assert (diff == "") == (old == new)
    assert patched(old, diff) == new if diff else old == new


def test_equal_texts_and_missing_line_ends() -> None:
    assert unified_diff("a\n", "a\n", "x", "y") == ""
    diff = unified_diff("a\n", "a", "x", "y")
    assert diff.splitlines() == ["--- x", "+++ y", "@@ -1 +1 @@", "-a", "+a", "\\ No newline at end of file"]


def test_large_differences_are_one_hunk(monkeypatch: object) -> None:
    size = text_diff._MAX_LINES
    shuffled = [f"{number}\n" for number in range(size + 1)]
    random.Random(1).shuffle(shuffled)
    old = "same\n" + "".join(sorted(shuffled)) + "end\n"
    new = "same\n" + "".join(shuffled) + "end\n"
    diff = unified_diff(old, new, "x", "y")
    assert diff.count("@@ ") == 1
    assert patched(old, diff) == new
    small = "\n".join(["1", "2", "3"])
    assert unified_diff(small + "\n", small + "\n4\n", "x", "y") == "".join(
        difflib.unified_diff(["1\n", "2\n", "3\n"], ["1\n", "2\n", "3\n", "4\n"], "x", "y")
    )
