"""Sources with calls in them that tell what is asked for, and what the calls told.

Calls speak over the console, under a mark that nobody can guess. The port takes their lines out, so that a
replay compares only what the Action itself did; while an expression is evaluated, the port answers without
its journal.
"""

from __future__ import annotations

import re
import secrets as tokens
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import sandbox
from runner.model.errors import InputError
from runner.model.outcome import FlowOutcome
from runner.replay.logpoints import python_source
from sandbox.core.failure import BuildError, Failure, Frame, Place
from sandbox.core.program import Language, Program, Source
from sandbox.javascript.building import statements

_SPELLING: Final = re.compile(r"(?P<file>.+):(?P<line>[1-9][0-9]{0,5})\s+(?P<expression>\S.*)", re.DOTALL)
_MARK: Final = "tap-"
_NEAREST: Final = 4
_EXCERPT: Final = 200
"""Characters of a line that a failure of Python quotes."""
_JAVASCRIPT: Final = """\
;function NAME(n, f) {
  if (NAME.busy) return;
  NAME.busy = true;
  try {
    if (f === undefined) { console.log("MARK@" + n); return; }
    console.log("MARK<");
    try { console.log("MARK=" + n, f()); } catch (error) { console.log("MARK!" + n, String(error)); }
    console.log("MARK>");
  } catch { } finally { NAME.busy = false; }
}
"""
_PYTHON: Final = """\
NAME_busy = []
def NAME(n, f):
    if NAME_busy:
        return
    NAME_busy.append(1)
    try:
        if f is None:
            console.log("MARK@" + str(n))
            return
        console.log("MARK<")
        try:
            text = "MARK=" + str(n) + " " + repr(f())
        except Exception as error:
            text = "MARK!" + str(n) + " " + type(error).__name__ + ": " + str(error)
        console.log(text)
        console.log("MARK>")
    except Exception:
        pass
    finally:
        NAME_busy.pop()
"""


@dataclass(frozen=True, slots=True)
class LogPoint:
    """An expression to print each time that a line is passed, before the line itself runs."""

    file: str
    line: int
    expression: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.expression}"


@dataclass(frozen=True, slots=True)
class Logged:
    """What an expression came to. `failed`: `text` is the error that it raised."""

    action: int
    point: LogPoint
    text: str
    failed: bool


def parse_logpoint(text: str) -> LogPoint:
    """A log point as people write it: `FILE:LINE EXPRESSION`. Raises `InputError` (`invalid_option`)."""
    found = _SPELLING.fullmatch(text.strip())
    if found is None:
        raise InputError(
            "invalid_option",
            f"--log {text!r} is not FILE:LINE EXPRESSION",
            next_step="Write, for example, --log 'login.js:12 event.user.email'.",
        )
    return LogPoint(found["file"], int(found["line"]), found["expression"].strip())


@dataclass(frozen=True, slots=True)
class _Moved:
    """A file's lines as they were, and what was put into them."""

    lines: Sequence[str]
    insertions: Sequence[python_source.Insertion]

    def column(self, line: int, column: int) -> int:
        """Where something stands in the line as it was."""
        for put in sorted(self.insertions, key=lambda item: item.column):
            if put.line == line and put.column < column - 1:
                column -= min(len(put.text), column - 1 - put.column)
        return column


@dataclass(slots=True)
class Taps:
    """Calls in the sources of one flow. For one run at a time.

    Attributes:
        points: what to print.
        watched: also tell every line on which a statement begins.
        logged: what was told, in order.
        line: by Action, the file and line that was passed last.
        aside: an expression is being evaluated.
    """

    points: Sequence[LogPoint]
    watched: bool = False
    logged: list[Logged] = field(default_factory=list)
    line: dict[int, str] = field(default_factory=dict)
    aside: bool = False
    _mark: str = field(default_factory=lambda: f"{_MARK}{tokens.token_hex(8)}")
    _made: dict[Source, Source] = field(default_factory=dict)
    _moved: dict[str, _Moved] = field(default_factory=dict)
    _files: dict[int, str] = field(default_factory=dict)

    def prepare(self, sources: Sequence[Source]) -> None:
        """Put the calls into the sources of a flow, by Action.

        Raises:
            InputError: `invalid_option`: no such file, no statement on that line, or no expression.
        """
        self._files = {index: source.filename for index, source in enumerate(sources)}
        for point in self.points:
            if not any(_is_of(point, source) for source in sources):
                names = ", ".join(dict.fromkeys(source.filename for source in sources))
                raise _wrong(point, f"no Action of the record is in a file of that name; there are {names}")
        for source in sources:
            numbered = {number: point for number, point in enumerate(self.points) if _is_of(point, source)}
            if source not in self._made and (numbered or self.watched):
                self._made[source] = self._placed(source, numbered)

    def build(self, source: Source) -> Program:
        """The program of a source, with its calls in it. For a `ProgramCache`.

        Raises:
            BuildError: it does not build as it is.
            InputError: it does so only with the calls in it.
        """
        made = self._made.get(source)
        if made is None:
            return sandbox.build(source)
        try:
            program = sandbox.build(made)
            # Calls of JavaScript move nothing, so failures can quote what the tenant wrote at once.
            return program if source.language is Language.PYTHON else replace(program, source=source)
        except BuildError as error:
            plain = sandbox.build(source)
            if self.watched:
                return plain
            point = next(point for point in self.points if _is_of(point, source))
            raise _wrong(point, f"it cannot stand there: {error.failure.message}") from None

    def heard(self, action: int, text: str) -> bool:
        """Take a console line if a call wrote it."""
        if not text.startswith(self._mark):
            # Names one of our functions: a promise that an expression made and nobody waited for.
            return self._mark.removeprefix(_MARK) in text
        kind, rest = text[len(self._mark) : len(self._mark) + 1], text[len(self._mark) + 1 :]
        if kind in ("<", ">"):
            self.aside = kind == "<"
        elif kind == "@":
            self.line[action] = f"{self._files.get(action, '')}:{rest}"
        else:
            number, _, value = rest.partition(" ")
            if number.isdecimal() and int(number) < len(self.points):
                self.logged.append(Logged(action, self.points[int(number)], value, kind == "!"))
        return True

    def mended(self, outcome: FlowOutcome) -> FlowOutcome:
        """The outcome without the calls' own lines, and with places as they are in the sources."""
        actions = []
        for action in outcome.actions:
            kept = tuple(entry for entry in action.logs if not self.heard(action.index, entry.text))
            failure = None if action.failure is None else self._unmoved(action.failure)
            actions.append(action.model_copy(update={"logs": kept, "failure": failure}))
        failure = None if outcome.failure is None else self._unmoved(outcome.failure)
        return outcome.model_copy(update={"actions": tuple(actions), "failure": failure})

    def is_own(self, text: str) -> bool:
        """Whether a call wrote this console line."""
        return self._mark.removeprefix(_MARK) in text

    # --- inside ---

    def _placed(self, source: Source, points: Mapping[int, LogPoint]) -> Source:
        name = f"ab_{self._mark.removeprefix(_MARK)}"
        if source.language is Language.PYTHON:
            text, lines = self._in_python(source, points, name)
        else:
            text, lines = self._in_javascript(source, points, name)
        for point in points.values():
            if point.line not in lines:
                raise _wrong(point, f"no statement begins on line {point.line}{_near(point.line, lines)}")
        return replace(source, text=text)

    def _in_javascript(
        self, source: Source, points: Mapping[int, LogPoint], name: str
    ) -> tuple[str, Sequence[int]]:
        wanted = [
            statements.Point(point.line, point.expression, f"{name}({number}, () => ({point.expression}))")
            for number, point in points.items()
        ]
        if Path(source.filename).suffix.lower() in (".ts", ".mts", ".cts", ".tsx", ".jsx"):
            if points:
                raise _wrong(
                    next(iter(points.values())), "it reads JavaScript and Python, and this is TypeScript"
                )
            return source.text, ()
        tail = self._own(_JAVASCRIPT, name)
        try:
            placed = statements.place_calls(
                source.text, wanted, tail, f"{name}(LINE)" if self.watched else ""
            )
        except statements.UnplacedError as error:
            asked = (point for point in points.values() if point.expression == error.expression)
            point = next(asked, None)
            if point is None and not points:
                return source.text, ()
            raise _wrong(point or next(iter(points.values())), error.message) from None
        return placed.text, placed.lines

    def _in_python(
        self, source: Source, points: Mapping[int, LogPoint], name: str
    ) -> tuple[str, Sequence[int]]:
        for point in points.values():
            try:
                python_source.check_expression(point.expression)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                raise _wrong(point, str(getattr(error, "msg", error))) from None
        wanted = [
            python_source.Point(point.line, f"{number}, lambda: ({point.expression})")
            for number, point in points.items()
        ]
        watched = "LINE, None" if self.watched else ""
        try:
            placed = python_source.place_calls(source.text, wanted, name, self._own(_PYTHON, name), watched)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if not points:
                return source.text, ()
            raise _wrong(next(iter(points.values())), f"the source does not parse here: {error}") from None
        self._moved[source.filename] = _Moved(python_source.lines_of(source.text), placed.insertions)
        return placed.text, placed.lines

    def _own(self, text: str, name: str) -> str:
        return text.replace("NAME", name).replace("MARK", self._mark)

    def _unmoved(self, failure: Failure) -> Failure:
        place = failure.place
        if place is not None and place.file in self._moved:
            old = self._moved[place.file].lines[place.line - 1].rstrip("\r\n")
            excerpt = None if place.excerpt is None else old[:_EXCERPT]
            place = replace(place, column=self._column(place), excerpt=excerpt)
        stack = tuple(replace(frame, column=self._column(frame)) for frame in failure.stack)
        return replace(failure, place=place, stack=stack)

    def _column(self, at: Place | Frame) -> int | None:
        moved = self._moved.get(at.file)
        return at.column if moved is None or at.column is None else moved.column(at.line, at.column)


def _is_of(point: LogPoint, source: Source) -> bool:
    names = {source.filename, Path(source.filename).stem}
    return point.file in names or Path(point.file).name == source.filename


def _near(line: int, lines: Sequence[int]) -> str:
    nearest = sorted(sorted(lines, key=lambda other: (abs(other - line), other))[:_NEAREST])
    return f"; one does on {', '.join(map(str, nearest))}" if nearest else ""


def _wrong(point: LogPoint, problem: str) -> InputError:
    return InputError("invalid_option", f"--log '{point}': {problem}")
