"""V8's positions of errors, built into the parser of QuickJS's binary.

The engine notes the place of names and of little else, so a call got the place of the last name among its
arguments, and a member that of its object. These patches let the parser note what V8 notes: a member's name,
the bracket of an index, the bracket or the name of a call, `new`, an operator, the first name of a pattern.
"""

from __future__ import annotations

from typing import Final

from sandbox.wasm import rewriting as w
from sandbox.wasm.rewriting import Function, Functions, Patch

_NEXT_TOKEN: Final = 674  # (parser) -> status
_NOTE: Final = 1078  # emit_source_loc_at(function, line, column)
_NOTE_TOKEN: Final = 1070  # emit_source_loc(parser)
_PREVIOUS_OPCODE: Final = 1006  # get_prev_opcode(function)
_POSTFIX: Final = 1082  # js_parse_postfix_expr
_BINARY: Final = 1085  # js_parse_expr_binary
_ASSIGNMENT: Final = 1062  # js_parse_assign_expr2
_PATTERN: Final = 1057  # js_parse_destructuring_element

_KIND, _LINE, _TEXT, _LINE_START, _FUNCTION = 24, 28, 36, 40, 96
"""In the parser's state: of the token at hand its kind, line, text and line's text; the function that is
being parsed."""
_IDENTIFIER: Final = -125
_MEMBER: Final = (64, 73, 195, 199)
"""Opcodes that read a member by its name."""
_VARIABLE: Final = 189
_COUNTED: Final = 1_000
"""Bytes at the begin of a line whose characters are counted, so that a long line takes no square of time."""
_PARSER: Final = w.get(0)

Place = tuple[int, int]
"""Locals that hold a line and a column."""


def note_places(functions: Functions, wanted: int) -> None:
    """Patch the parser. `wanted`: address of an i32; nothing more than before is noted while it is 0, which
    keeps the bytecode of our own scripts small."""
    _Patches(functions, wanted).apply()


class _Patches:
    """The patches, and the functions that they share."""

    def __init__(self, functions: Functions, wanted: int) -> None:
        self._functions = functions
        self._column = functions.add(_NEXT_TOKEN, _column())
        self._note_if_wanted = functions.add(_NOTE, _if_wanted(wanted))

    def apply(self) -> None:
        self._postfix()
        self._binary()
        self._assignment()
        self._pattern()

    def _keep(self, place: Place) -> bytes:
        """Keep the place of the token at hand."""
        line, column = place
        return w.sequence(_PARSER, w.load32(_LINE), w.put(line), _PARSER, w.call(self._column), w.put(column))

    def _note_token(self) -> bytes:
        return w.sequence(
            _PARSER, w.load32(_FUNCTION), _PARSER, w.load32(_LINE), _PARSER, w.call(self._column),
            w.call(self._note_if_wanted),
        )  # fmt: skip

    def _note(self, place: Place) -> bytes:
        line, column = place
        return w.sequence(
            _PARSER, w.load32(_FUNCTION), w.get(line), w.get(column), w.call(self._note_if_wanted)
        )

    def _postfix(self) -> None:
        """Members, indices and calls."""
        state = 3
        start, call, token, name = (14, 15), (16, 17), (18, 19), (20, 21)
        opcode, continued, variable = 22, 23, 24
        emit = w.sequence(w.get(state), w.load32())
        begin = w.sequence(
            self._keep(start), self._keep(call),
            _PARSER, w.load32(_KIND), w.i32(_IDENTIFIER), w.I32_EQ, w.put(variable),
        )  # fmt: skip
        member = w.sequence(
            self._keep(name),
            w.get(continued), w.IF, self._note(token), w.ELSE, self._note(name), w.END,
        )  # fmt: skip
        identifier = w.sequence(w.get(4), w.get(3), w.get(7), w.I32_SUB, w.i32(1), w.I32_ADD)
        self._functions.patch(
            _POSTFIX,
            (
                Patch(5, w.GLOBAL_GET, begin),
                Patch(2870, w.sequence(_PARSER, w.i32(96)), self._note(start)),  # `new` without arguments
                Patch(2975, identifier, w.sequence(w.get(start[0]), w.get(start[1])), replaces=True),
                Patch(3055, emit, self._keep(token)),
                Patch(  # behind `?.`
                    3109,
                    w.sequence(_PARSER, w.load32(_KIND)),
                    w.sequence(self._keep(token), w.i32(1), w.put(continued)),
                ),
                Patch(
                    3209,
                    w.sequence(_PARSER, w.call(_NOTE_TOKEN)),
                    self._called(start, call, token, name, opcode, continued, variable),
                    replaces=True,
                ),
                Patch(3712, w.sequence(emit, w.i32(195)), member),
                Patch(3831, w.sequence(emit, w.i32(73)), member),
                Patch(3863, w.sequence(emit, w.i32(64)), member),
                Patch(4505, w.sequence(emit, w.i32(14)), self._note(call)),  # arguments with a spread
                Patch(4858, w.sequence(emit, w.put(1)), self._note(call)),
                Patch(5211, emit, self._note(token)),
            ),
            extra=11,
        )

    def _called(
        self, start: Place, call: Place, token: Place, name: Place, opcode: int, continued: int, variable: int
    ) -> bytes:
        """The position of a call that is no `new`: the name of what is called, or its bracket or template."""
        by_name = w.i32(0)
        for number in _MEMBER:
            by_name = w.sequence(by_name, w.get(opcode), w.i32(number), w.I32_EQ, w.I32_OR)
        tagged = w.sequence(  # by a template, which is still the token at hand
            _PARSER, w.load32(_LINE), w.get(token[0]), w.I32_EQ,
            _PARSER, w.call(self._column), w.get(token[1]), w.I32_EQ, w.I32_AND,
        )  # fmt: skip
        return w.sequence(
            w.get(4), w.call(_PREVIOUS_OPCODE), w.put(opcode),
            _copy(token, call),
            tagged, w.I32_EQZ, w.IF,
            by_name, w.get(name[0]), w.i32(0), w.I32_NE, w.I32_AND, w.IF, _copy(name, call), w.END,
            w.get(opcode), w.i32(_VARIABLE), w.I32_EQ, w.get(variable), w.I32_AND,
            w.IF, _copy(start, call), w.END,
            w.i32(1), w.put(continued),
            w.END,
        )  # fmt: skip

    def _binary(self) -> None:
        """Operators."""
        operator = (8, 9)
        old = w.sequence(_PARSER, w.call(_NEXT_TOKEN), w.br_if(2), _PARSER, w.call(_NOTE_TOKEN))
        self._functions.patch(
            _BINARY,
            (
                Patch(557, old, self._keep(operator)),
                Patch(580, w.sequence(w.get(7), w.load32()), self._note(operator)),
            ),
            extra=2,
        )

    def _assignment(self) -> None:
        operator = (10, 11)
        self._functions.patch(
            _ASSIGNMENT,
            (
                Patch(1683, w.sequence(_PARSER, w.call(_NEXT_TOKEN)), self._keep(operator)),
                Patch(2020, w.sequence(w.i32(0), w.put(3), _PARSER, w.get(7)), self._note(operator)),
            ),
            extra=2,
        )

    def _pattern(self) -> None:
        """Of an object pattern its first name, of an array pattern its bracket."""
        self._functions.patch(
            _PATTERN,
            (
                Patch(222, w.sequence(w.get(9), w.load32(), w.i32(112)), self._note_token()),
                Patch(1851, w.sequence(_PARSER, w.call(_NEXT_TOKEN)), self._note_token()),
            ),
            extra=0,
        )


def _if_wanted(wanted: int) -> Function:
    code = w.sequence(w.i32(0), w.load32(wanted), w.IF, w.gets(3), w.call(_NOTE), w.END)
    return Function((), code)


def _copy(source: Place, target: Place) -> bytes:
    return w.sequence(w.get(source[0]), w.put(target[0]), w.get(source[1]), w.put(target[1]))


def _column() -> Function:
    """(parser) -> the column of the token at hand, from 1, in UTF-16 code units as V8 counts."""
    at, end, count, byte = 1, 2, 3, 4
    code = w.sequence(
        _PARSER, w.load32(_LINE_START), w.put(at),
        _PARSER, w.load32(_TEXT), w.put(end),
        w.i32(1), w.put(count),
        w.get(end), w.get(at), w.I32_SUB, w.i32(_COUNTED), w.I32_GT_U,
        w.IF, w.get(end), w.get(at), w.I32_SUB, w.i32(1), w.I32_ADD, w.RETURN, w.END,
        w.LOOP,
        w.get(at), w.get(end), w.I32_LT_U,
        w.IF,
        w.get(at), w.load8(), w.put(byte),
        w.get(count),
        w.get(byte), w.i32(0xC0), w.I32_AND, w.i32(0x80), w.I32_NE, w.I32_ADD,
        w.get(byte), w.i32(0xEF), w.I32_GT_U, w.I32_ADD,
        w.put(count),
        w.get(at), w.i32(1), w.I32_ADD, w.put(at),
        w.br(1),
        w.END,
        w.END,
        w.get(count),
    )  # fmt: skip
    return Function(((4, w.I32),), code)
