"""From source text to bytecode, in an instance of its own under limits. Runs no tenant code.

A source is CommonJS: the body of a function of `exports`, `require`, `module`, `__filename` and
`__dirname`. TypeScript and ES modules are made CommonJS first. It is parsed alone first, so that no
text can end that function early (threat-model K7); only what stands alone is then put between the
function's braces.
"""

from __future__ import annotations

import re
import struct
import time
from typing import Final, NamedTuple

from sandbox.core.caps import (
    MAX_ERROR_MESSAGE_BYTES,
    MAX_SOURCE_BYTES,
    MAX_SOURCE_LINES,
    Limits,
)
from sandbox.core.failure import BuildError, Failure, FailureCode, Place
from sandbox.core.program import Program, Source
from sandbox.javascript.building.transpile import is_needed, transpile
from sandbox.javascript.errors import report
from sandbox.javascript.errors.sourcemap import original
from sandbox.javascript.hostcalls import Host
from sandbox.javascript.image import Image
from sandbox.javascript.null_port import Silence
from sandbox.javascript.quickjs.machine import GuestExceptionError, GuestStarvedError, Machine
from sandbox.wasm.calls import entered, u32
from sandbox.wasm.memory import GuestMemoryError
from sandbox.wasm.traps import GuestStopped, StopKind

_COMPILE_SECONDS: Final = 2.0
"""Longest compilation, of processor time when the machine is busy; a source of the largest size takes some
milliseconds."""
_PATIENCE_SECONDS: Final = 4.0
"""What it may wait for others of its process."""
_MAX_CODE_BYTES: Final = 64 * MAX_SOURCE_BYTES

_SCRIPT: Final = 0
_MODULE: Final = 1 << 0
_COMPILE_ONLY: Final = 1 << 5
_ASYNC: Final = 1 << 7
_WRITE_BYTECODE: Final = 1 << 0
_OPTIONS_VERSION: Final = 1

_FUNCTION: Final = ("(function (%s) {\n\n", "\n})")
_METHOD: Final = ("({m(%s) {\n\n", "\n}})")
"""Where a stray brace leads elsewhere than in `_FUNCTION`: no text can leave both the same way."""
_ACTION: Final = "exports, require, module, __filename, __dirname"
SHARED_MODULE: Final = _ACTION + ", actions"
"""The parameters of a shared module: it has secrets of its own, `actions.secrets`."""
_TOP_LEVEL_RETURN: Final = "return not in a function"
_MODULE_SYNTAX: Final = re.compile(r"^(?:import|export)\b", re.MULTILINE)
_DYNAMIC_IMPORT: Final = re.compile(r"\bimport\s*\(")
"""Perhaps in a comment or a string, where compiling it away changes nothing."""
_AT: Final = re.compile(r":(\d+):(\d+)\)?$", re.MULTILINE)


_EXHAUSTION: Final = (GuestStopped, GuestExceptionError, GuestMemoryError, GuestStarvedError)


class _RejectedError(Exception):
    """The parser's complaint: message, line, column (both from 1, of the text it was given)."""

    def __init__(self, message: str, line: int | None, column: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.alone = False
        """Whether the text was rejected by itself, rather than as a function's body."""


class _Unit(NamedTuple):
    """Text to parse; `first_line` is the number that its first line gets."""

    text: str
    flags: int
    first_line: int = 1


def build(image: Image, source: Source, limits: Limits, parameters: str = _ACTION) -> Program:
    """Compile `source`.

    Raises:
        BuildError: with a failure of code syntax, output, timeout, memory or internal.
    """
    text = _checked_text(source)
    if is_needed(source.filename):
        return _build_transpiled(image, source, text, limits, parameters)
    compiler = _Compiler(image, limits, parameters)
    try:
        code = compiler.compile(text, source.filename)
    except _RejectedError as rejected:
        if rejected.alone and _is_module(text, compiler):
            return _build_transpiled(image, source, text, limits, parameters)
        raise BuildError(_syntax(source, text, rejected, compiler)) from None
    except _EXHAUSTION as error:
        raise BuildError(_exhausted(error, limits)) from None
    if _DYNAMIC_IMPORT.search(text) is not None:
        return _build_transpiled(image, source, text, limits, parameters)
    return Program(source=source, code=code, image=image.digest)


def _build_transpiled(image: Image, source: Source, text: str, limits: Limits, parameters: str) -> Program:
    text, mappings = transpile(source, text)
    compiler = _Compiler(image, limits, parameters)
    try:
        code = compiler.compile(text, source.filename)
    except _RejectedError as rejected:
        place = original(mappings, rejected.line, rejected.column) if rejected.line else None
        rejected.line, rejected.column = place or (None, None)
        raise BuildError(_syntax(source, text, rejected, compiler)) from None
    except _EXHAUSTION as error:
        raise BuildError(_exhausted(error, limits)) from None
    return Program(source=source, code=code, image=image.digest, mappings=mappings)


def _is_module(text: str, compiler: _Compiler) -> bool:
    """Whether text that is no CommonJS is an ES module, right or wrong: its compiler says it better."""
    if compiler.accepts(text, _ASYNC):
        return False
    return _MODULE_SYNTAX.search(text) is not None or compiler.accepts(text, _MODULE)


def _checked_text(source: Source) -> str:
    """The text as the parser gets it: within the caps, without BOM, with `#!` made a comment."""
    try:
        size = len(source.text.encode())
    except UnicodeEncodeError as error:
        raise BuildError(_bad_character(source, error.start, "half of a surrogate pair")) from None
    if size > MAX_SOURCE_BYTES:
        raise BuildError(_too_large("bytes", size, MAX_SOURCE_BYTES))
    if (lines := source.text.count("\n") + 1) > MAX_SOURCE_LINES:
        raise BuildError(_too_large("lines", lines, MAX_SOURCE_LINES))
    if (nul := source.text.find("\0")) >= 0:
        raise BuildError(_bad_character(source, nul, "a NUL character"))
    text = source.text.removeprefix("\ufeff")
    return "//" + text[2:] if text.startswith("#!") else text


class _Compiler:
    """Parses in fresh instances of the image; one attempt each, because a parser may be left broken."""

    def __init__(self, image: Image, limits: Limits, parameters: str) -> None:
        self._image = image
        self._limits = limits
        self._parameters = parameters
        seconds = min(_COMPILE_SECONDS, limits.wall_ms / 1000)
        self._deadline = time.monotonic() + seconds
        self._fair = time.thread_time() + seconds

    def compile(self, text: str, filename: str) -> bytes:
        """Bytecode of `text` as a function. Raises `_RejectedError` and what the instance raises."""
        try:
            self._parse(_Unit(text, _SCRIPT), filename)
        except _RejectedError as rejected:
            if rejected.message != _TOP_LEVEL_RETURN:
                rejected.alone = True
                raise
            before, after = _METHOD
            self._parse(_Unit(before % self._parameters + text + after, _SCRIPT, -1), filename)
        before, after = _FUNCTION
        return self._parse(_Unit(before % self._parameters + text + after, _SCRIPT, -1), filename)

    def accepts(self, text: str, flags: int) -> bool:
        """Whether `text` parses in another way, for a better message."""
        try:
            self._parse(_Unit(text, flags), "probe")
        except GuestExceptionError:
            return True  # it parses; what it imports cannot be found
        except (_RejectedError, GuestStopped, GuestMemoryError, GuestStarvedError):
            return False
        return True

    def _parse(self, unit: _Unit, filename: str) -> bytes:
        host = Host(Silence())
        least = max(0.0, self._fair - time.thread_time())
        store = self._image.store(self._limits, self._deadline, _PATIENCE_SECONDS, least)
        with entered(host), store as timed:
            exports = self._image.instantiate(timed.store)
            machine = host.machine = Machine(exports, self._image.layout)
            try:
                return _compile_in(machine, unit, filename)
            except GuestExceptionError as error:
                raise _complaint(machine, error.value, unit) from None


def _compile_in(machine: Machine, unit: _Unit, filename: str) -> bytes:
    exports, context = machine.exports, machine.layout.context
    data = unit.text.encode()
    name = filename.encode("utf-8", "replace").replace(b"\0", b"?")
    name_at = machine.allocate(len(name) + 1)
    machine.memory.write(name_at, name + b"\0")
    options = machine.allocate(16)
    flags = unit.flags | _COMPILE_ONLY
    machine.memory.write(options, struct.pack("<iiIi", _OPTIONS_VERSION, flags, name_at, unit.first_line))
    value = machine.checked(exports.JS_Eval2(context, machine.place(data), len(data), options))
    code = u32(exports.JS_WriteObject(context, machine.layout.scratch, value, _WRITE_BYTECODE))
    if code == 0:
        raise GuestStarvedError
    return machine.memory.read(code, machine.memory.read_u32(machine.layout.scratch), _MAX_CODE_BYTES)


def _complaint(machine: Machine, value: int, unit: _Unit) -> Exception:
    """The failure behind an error of the parser: a syntax error, or its own exhaustion."""
    message = machine.text(machine.member(value, "message"), MAX_ERROR_MESSAGE_BYTES)
    if machine.text(machine.member(value, "name"), 64) != "SyntaxError":
        return GuestExceptionError(value)
    stack = machine.member(value, "stack")
    found = _AT.search(machine.text(stack, MAX_ERROR_MESSAGE_BYTES)) if machine.is_string(stack) else None
    if found is None:
        return _RejectedError(message, None, None)
    line = int(found[1])
    return _RejectedError(message, line, _characters(unit, line, int(found[2])))


def _characters(unit: _Unit, line: int, column: int) -> int:
    """The parser's column, which counts bytes, in characters."""
    lines = unit.text.split("\n", max(line - unit.first_line + 1, 0))
    if not 0 <= line - unit.first_line < len(lines):
        return column
    data = lines[line - unit.first_line].encode()[: max(column - 1, 0)]
    return len(data.decode("utf-8", "ignore")) + 1 + max(column - 1 - len(data), 0)


# --- failures ---


def _syntax(source: Source, text: str, rejected: _RejectedError, compiler: _Compiler) -> Failure:
    place = report.place_in(source, rejected.line, rejected.column)
    message, next_step = _in_words(rejected.message), ""
    if rejected.alone and compiler.accepts(text, _ASYNC):
        message = "`await` is used outside a function."
        next_step = "Move the line into the handler, which may be `async`; a file cannot wait while it loads."
    return Failure(FailureCode.SYNTAX, message, error_name="SyntaxError", place=place, next_step=next_step)


_WORDS: Final = {
    "unexpected token in expression: ''": "unexpected end of the source",
    "expecting '}'": "a closing brace '}' is missing",
}


def _in_words(message: str) -> str:
    return _WORDS.get(message, message)


def _bad_character(source: Source, offset: int, what: str) -> Failure:
    line = source.text.count("\n", 0, offset) + 1
    column = offset - (source.text.rfind("\n", 0, offset) + 1) + 1
    return Failure(
        FailureCode.SYNTAX,
        f"The source holds {what}.",
        error_name="SyntaxError",
        place=Place(source.filename, line, column),
        next_step="Save the file as UTF-8 text.",
    )


def _too_large(unit: str, found: int, cap: int) -> Failure:
    return Failure(
        FailureCode.OUTPUT,
        f"The source has {found} {unit}; at most {cap} are taken.",
        next_step="Make the Action smaller, or move data out of it.",
        detail={"limit": f"source_{unit}", "value": cap},
    )


def _exhausted(error: Exception, limits: Limits) -> Failure:
    """A source that parses only with more than the limits."""
    kind = error.kind if isinstance(error, GuestStopped) else None
    if kind is StopKind.DEADLINE:
        return Failure(
            FailureCode.TIMEOUT, "The source takes too long to compile.", next_step="Make it simpler."
        )
    if isinstance(error, GuestStarvedError):
        return report.memory(limits)
    return Failure(
        FailureCode.SYNTAX,
        "The source is nested too deeply to compile.",
        next_step="Nest brackets, operators or functions less deeply.",
    )
