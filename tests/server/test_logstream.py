"""A log that cannot be written or made changes nothing else, and is counted."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from runner.server import logs
from runner.server.log_output import _MAX_WAITING, LogStream
from runner.server.logs import configure_logs, lost_lines, say


class Broken(io.StringIO):
    """Fails as a pipe whose reader has gone, or as a full disk."""

    encoding = "utf-8"

    def __init__(self, error: Exception, where: str) -> None:
        super().__init__()
        self._error, self._where = error, where

    def write(self, text: str) -> int:
        if self._where == "write":
            raise self._error
        return super().write(text)

    def flush(self) -> None:
        if self._where == "flush":
            raise self._error


class Stalled(io.StringIO):
    """Takes nothing until it is told to."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def write(self, text: str) -> int:
        self.go.wait(60)
        return super().write(text)


@pytest.fixture
def as_before() -> Iterator[None]:
    yield
    configure_logs("warning", "json")  # other tests of the process look for their warnings


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "target",
    [
        Broken(BrokenPipeError(32, "Broken pipe"), "write"),
        Broken(OSError(28, "No space left on device"), "flush"),
        Broken(ValueError("I/O operation on closed file"), "write"),
        closed(),
        None,
    ],
    ids=["no reader", "full disk", "closed", "closed too", "none"],
)
def test_lines_that_cannot_be_written_are_counted(target: Any) -> None:
    stream = LogStream(target)
    for number in range(3):
        assert stream.write(f"line {number}") == 6
        stream.drain(10)
    assert stream.lost == 3


def test_whoever_logs_does_not_wait_for_a_reader_that_has_stalled() -> None:
    target = Stalled()
    stream = LogStream(target)
    line = "x" * 1000
    for _ in range(2 * _MAX_WAITING // len(line)):
        stream.write(line)
    assert _MAX_WAITING // len(line) - 2 <= stream.lost <= _MAX_WAITING // len(line) + 2
    lost = stream.lost
    target.go.set()
    stream.drain(30)
    stream.write("the last one")
    stream.drain(30)
    assert stream.lost == lost
    assert target.getvalue().count("\n") == 2 * _MAX_WAITING // len(line) - lost + 1
    assert target.getvalue().endswith(f"{line}\nthe last one\n")


def test_text_that_the_encoding_does_not_have_is_escaped(tmp_path: Path) -> None:
    raw = io.BytesIO()
    path = tmp_path / "log"
    with path.open("w", encoding="ascii") as file:
        for target in (io.TextIOWrapper(raw, "ascii"), file):
            stream = LogStream(target)
            stream.write("Jürgen \ud800 \U0001f600\n")
            stream.drain(10)
            assert stream.lost == 0
    assert raw.getvalue() == path.read_bytes() == b"J\\xfcrgen \\ud800 \\U0001f600\n"


class Worse:
    def __repr__(self) -> str:
        raise RuntimeError("no text")

    __str__ = __repr__


@pytest.mark.parametrize("form", ["json", "console"])
def test_records_of_which_no_line_can_be_made_are_counted(
    form: str, monkeypatch: pytest.MonkeyPatch, as_before: None
) -> None:
    target = io.StringIO()
    monkeypatch.setattr(sys, "stderr", target)
    configure_logs("info", form)
    structlog.get_logger("test").info("bad", value=Worse())
    logging.getLogger("test").warning("bad %s", Worse())
    logging.getLogger("test").warning("bad %d", "x")
    assert lost_lines() == 3
    structlog.get_logger("test").info("good", value="Jürgen \ud800")
    logging.getLogger("test").warning("good %s", "too")
    logs._stream.drain(10)
    lines = target.getvalue().splitlines()
    assert len(lines) == 2
    if form == "json":
        assert json.loads(lines[0])["value"] == "Jürgen \ud800"
        assert json.loads(lines[1])["event"] == "good too"


def test_a_closed_standard_output_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for target in (closed(), Broken(BrokenPipeError(32, "Broken pipe"), "flush"), None):
        monkeypatch.setattr(sys, "stdout", target)
        say("hello\n")
        assert sys.stdout is not target, "what is said later goes nowhere, and breaks nothing"
        say("again\n")
        sys.stdout.close()
