"""Failures can always be written as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from sandbox.core.failure import Failure, FailureCode, Place


def test_lone_surrogates() -> None:
    """A failure that quotes half of a surrogate pair shows U+FFFD, because UTF-8 has no such character."""
    place = Place("a\udcff.py", 1, 2, 'print("\ud800")')
    failure = Failure(FailureCode.SYNTAX, "bad \ud800\U0001f600", place=place)
    shown = json.dumps(asdict(failure), ensure_ascii=False).encode()
    assert b"bad \xef\xbf\xbd\xf0\x9f\x98\x80" in shown
    assert failure.place is not None
    assert failure.place.file == "a\ufffd.py"
    assert failure.place.excerpt == 'print("\ufffd")'
