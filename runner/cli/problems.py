"""Errors and failures as people read them: what, where, and what to do."""

from __future__ import annotations

import unicodedata
from typing import Final

from rich.console import Console

from runner.cli.terminal import line
from runner.model.errors import RunnerError
from runner.model.text import printable
from sandbox.core.failure import BuildError, Failure, Place
from sandbox.core.setup_error import SetUpError
from triggers import EventError, UnknownTriggerError

_EXPECTED: Final = (RunnerError, BuildError, EventError, SetUpError, UnknownTriggerError)
_EXCERPT_WIDTH: Final = 120


def is_expected(error: BaseException) -> bool:
    """Whether `error` is the user's to correct; files that the machine refuses are."""
    return isinstance(error, _EXPECTED) or (isinstance(error, OSError) and error.filename is not None)


def describe(error: Exception, console: Console) -> None:
    """Print an expected error."""
    if isinstance(error, BuildError):
        show_failure(error.failure, console)
    elif isinstance(error, EventError):
        _describe_event(error, console)
    elif isinstance(error, RunnerError):
        _message(str(error.message), console)
        for text in error.next_step.splitlines():
            console.print(line(text, indent=2))
    elif isinstance(error, OSError):
        _message(f"{error.filename}: {error.strerror}", console)
    else:
        _message(str(error), console)


def _message(text: str, console: Console) -> None:
    first, *rest = text.splitlines() or [""]
    console.print(line(("error: ", "bold red"), first))
    for more in rest:
        console.print(line(more))


def _describe_event(error: EventError, console: Console) -> None:
    _message("the event does not fit the trigger", console)
    for problem in error.problems:
        rest = str(problem).removeprefix(problem.path)
        console.print(line((problem.path, "bold"), rest, indent=2))
    if error.total > len(error.problems):
        console.print(line(f"and {error.total - len(error.problems)} more", indent=2))
    console.print(line("`actionbox event TRIGGER` prints an event that fits.", indent=2))


def show_failure(failure: Failure, console: Console, *, indent: int = 0, title: str = "") -> None:
    """Print a typed failure with the tenant's source line, a caret, the stack and the next step."""
    first, *rest = failure.message.splitlines() or [""]
    name = f"{failure.error_name}: " if failure.error_name and failure.error_name not in first else ""
    console.print(line((f"{title}{failure.code.value}: ", "bold red"), name, first, indent=indent))
    for more in rest:
        console.print(line(more, indent=indent + 2))
    if failure.place is not None:
        _show_place(failure.place, console, indent + 2)
    for frame in failure.stack:
        column = f":{frame.column}" if frame.column else ""
        function = frame.function or "(top level)"
        console.print(line((f"at {function} ({frame.file}:{frame.line}{column})", "dim"), indent=indent + 2))
    if failure.next_step:
        console.print(line(("next: ", "cyan"), failure.next_step, indent=indent + 2))


def _show_place(place: Place, console: Console, indent: int) -> None:
    column = f":{place.column}" if place.column else ""
    console.print(line((f"{place.file}:{place.line}{column}", "bold"), indent=indent))
    if place.excerpt is None:
        return
    excerpt, caret = excerpt_with_caret(place.excerpt, place.column)
    console.print(line(excerpt, indent=indent + 2))
    if caret is not None:
        console.print(line((caret, "bold red"), indent=indent + 2))


def excerpt_with_caret(excerpt: str, column: int | None) -> tuple[str, str | None]:
    """The source line as it can be shown, and the line with a caret under `column` (from 1).

    Long lines are cut around the column; escapes and wide characters keep the caret in place.
    """
    source = excerpt.rstrip("\n")
    if column is None:
        shown = printable(source.replace("\t", "    "))
        return (shown if len(shown) <= _EXCERPT_WIDTH else shown[: _EXCERPT_WIDTH - 1] + "…"), None
    at = min(max(column - 1, 0), len(source))
    start = max(0, at - _EXCERPT_WIDTH // 2)
    window = source[start : start + _EXCERPT_WIDTH]
    before = _expand(window[: at - start])
    shown = ("…" if start else "") + before + _expand(window[at - start :])
    if start + _EXCERPT_WIDTH < len(source):
        shown += "…"
    return shown, " " * (_cells(before) + (1 if start else 0)) + "^"


def _expand(text: str) -> str:
    return printable(text.replace("\t", "    "))


def _cells(text: str) -> int:
    """Terminal cells; combining marks take none and wide characters two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
