"""Additions to QuickJS's binary, made before it is compiled.

The engine has no hook for three things that Node's programs rely on: `await` does not tell what goes on
after it (AsyncLocalStorage), its own errors speak other words than V8's, and nothing counts the machine's
stack, so that recursion inside the engine, which takes little of the stack that it counts, ended in a trap.
Some of its functions are therefore wrapped; their numbers are those of the pinned binary
(`image.QUICKJS_SHA256`).

A wrapper finds what it needs at `MAILBOX`, below the engine's stack, where nothing else is.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Final

from sandbox.javascript.quickjs import places
from sandbox.wasm import binary
from sandbox.wasm import rewriting as w
from sandbox.wasm.rewriting import Function, Functions

MAILBOX: Final = 512
"""Address of the words below: linear memory begins with the lowest part of the engine's stack, which its own
limit keeps free."""
MAILBOX_END: Final = 1024
_FLAGS: Final = MAILBOX
"""i32: where the guest keeps one byte, whether continuations are bound (guest/node/async.js)."""
_BUSY: Final = MAILBOX + 4
"""i32: the guest is being asked for words; errors that it makes itself stay as they are."""
_BIND: Final = MAILBOX + 8
"""Value of the guest's function that binds a continuation."""
_EXPLAIN: Final = MAILBOX + 16
"""Value of the guest's function that finds other words for an error of the engine."""
_PENDING: Final = MAILBOX + 24
"""An error of the engine that gets its place later."""
_LAST_OBJECT: Final = MAILBOX + 32
"""The value that the engine was last asked to make an object of."""
NOTED_OBJECT: Final = MAILBOX + 40
"""The same when it made an error of its own last."""
_NEW_TARGET: Final = MAILBOX + 56
"""What `new` was called with, while an error is constructed: its frame and those above it are left out."""
_STACK_GETTER: Final = MAILBOX + 64
_STACK_SETTER: Final = MAILBOX + 72
"""Values of the guest's functions that each error gets for its own `stack`."""
_STACK_NAME: Final = MAILBOX + 80
"""i32: the engine's number of the name `stack`."""
PLACES: Final = MAILBOX + 48
"""i32: whether the parser notes all places (`sandbox.javascript.quickjs.places`)."""

_PERFORM_THEN: Final = 438  # (context, promise, address of handlers, of resolving functions) -> status
_MAKE_ERROR: Final = 38  # (context, class, whether with a place, text) -> error
_BUILD_BACKTRACE: Final = 195  # (context, error, filter, file name, line, column, flags)
_CURRENT_FRAME: Final = 660
"""Of the runtime: the innermost frame, which begins with that of its caller and, at 8, its function."""
_SKIPS_FIRST, _FILTERS = 1, 4
"""Flags of `_BUILD_BACKTRACE`: an error's constructor is left out; captureStackTrace asks."""
_ACCESSOR: Final = 1 | 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12
"""Flags of JS_DefineProperty: configurable, not enumerable, with a getter and a setter."""
_ERROR_CONSTRUCTOR: Final = 397  # (context, new.target, argument count, arguments, class) -> error
_THENABLE_JOB: Final = 76
"""The job that calls `then` of a thenable, as a position in the table: arguments promise, thenable, then."""

_STACK_WORTH: Final = {
    940: 32,  # a value in JSON.parse
    933: 64,  # a value in JSON.stringify
    1062: 96,  # the parser: an assignment
    1085: 64,  # a unary expression
    1086: 96,  # a postfix expression
}
"""Bytes that recursion through these functions takes of the engine's stack beside what it does take, so that
its limit is reached before the machine's (tests/sandbox/javascript/test_recursion.py)."""

_EXPLAINED: Final = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5
"""RangeError, ReferenceError, TypeError, URIError by the engine's numbers. Not its SyntaxErrors, which the
compiler of Actions reads, and never its own exhaustion."""
_UNDEFINED: Final = 3 << 32
_EXCEPTION: Final = 6


def key() -> str:
    """Names what this module does to a binary."""
    own = (Path(__file__), Path(places.__file__), Path(w.__file__), Path(binary.__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in own)).hexdigest()


def amend(binary: bytes) -> bytes:
    """The engine's binary with its wrappers.

    Raises:
        ModuleFormatError: it is another binary.
    """
    functions = Functions(binary)
    places.note_places(functions, PLACES)
    for number, worth in _STACK_WORTH.items():
        _weigh(functions, number, worth)
    _bind_continuations(functions)
    _bind_thenables(functions)
    _explain_errors(functions)
    _note_objects(functions)
    _own_stacks(functions)
    return functions.module()


def mailbox(*, flags: int, bind: int, explain: int, stack: int, getter: int, setter: int) -> bytes:
    """Content of the mailbox: an address, functions of the guest, and the engine's number of a name."""
    return struct.pack("<IIqqqqqIIqqqI", flags, 0, bind, explain, 0, 0, 0, 1, 0, 0, getter, setter, stack)


def _weigh(functions: Functions, number: int, worth: int) -> None:
    """Let each call of `number` take `worth` more bytes of the stack that the engine counts."""
    own = functions.move(number)
    parameters, (kind,) = functions.signature(number)
    result = len(parameters)
    code = w.sequence(
        _reserve(worth), w.gets(result), w.call(own), w.put(result), _release(worth), w.get(result)
    )
    functions.put(number, Function(((1, kind),), code))


def _reserve(size: int) -> bytes:
    return w.sequence(w.GLOBAL_GET, w.i32(size), w.I32_SUB, w.GLOBAL_SET)


def _release(size: int) -> bytes:
    return w.sequence(w.GLOBAL_GET, w.i32(size), w.I32_ADD, w.GLOBAL_SET)


def _bind_continuations(functions: Functions) -> None:
    """Hand the guest both handlers of a reaction, and take what it gives in their place."""
    own = functions.move(_PERFORM_THEN)
    context, handlers, resolving = 0, 2, 3
    at, value = 4, 5
    free = functions.exported["JS_FreeValue"]

    def bound(place: int, give_up: bytes) -> bytes:
        return w.sequence(
            _ask(functions, context, w.sequence(w.get(handlers), w.i32(place), w.I32_ADD)),
            w.put(value),
            w.get(at), w.get(value), w.store64(place),
            _is_exception(value), w.IF, give_up, _release(16), w.i32(-1), w.RETURN, w.END,
        )  # fmt: skip

    def freed(place: int) -> bytes:
        return w.sequence(w.get(context), w.get(at), w.load64(place), w.call(free))

    code = w.sequence(
        _unless_bound(w.sequence(w.gets(4), w.call(own))),
        _reserve(16), w.GLOBAL_GET, w.put(at),
        bound(0, b""), bound(8, freed(0)),
        w.get(context), w.get(1), w.get(at), w.get(resolving), w.call(own), w.put(handlers),
        freed(0), freed(8), _release(16),
        w.get(handlers),
    )  # fmt: skip
    functions.put(_PERFORM_THEN, Function(((1, w.I32), (1, w.I64)), code))


def _bind_thenables(functions: Functions) -> None:
    """The same for `then` of a thenable, which a job calls later."""
    number = functions.exported["JS_EnqueueJob"]
    own = functions.move(number)
    context, job, arguments = 0, 1, 3
    at, value = 4, 5
    free = functions.exported["JS_FreeValue"]
    code = w.sequence(
        w.get(job), w.i32(_THENABLE_JOB), w.I32_EQ, w.I32_EQZ,
        w.IF, w.gets(4), w.call(own), w.RETURN, w.END,
        _unless_bound(w.sequence(w.gets(4), w.call(own))),
        _reserve(32), w.GLOBAL_GET, w.put(at),
        _ask(functions, context, w.sequence(w.get(arguments), w.i32(16), w.I32_ADD)), w.put(value),
        _is_exception(value), w.IF, _release(32), w.i32(-1), w.RETURN, w.END,
        w.get(at), w.get(arguments), w.load64(0), w.store64(0),
        w.get(at), w.get(arguments), w.load64(8), w.store64(8),
        w.get(at), w.get(value), w.store64(16),
        w.get(context), w.get(job), w.get(2), w.get(at), w.call(own), w.put(arguments),
        w.get(context), w.get(value), w.call(free),
        _release(32), w.get(arguments),
    )  # fmt: skip
    functions.put(number, Function(((1, w.I32), (1, w.I64)), code))


def _unless_bound(otherwise: bytes) -> bytes:
    """Return what `otherwise` leaves unless continuations are bound."""
    return w.sequence(
        w.i32(0), w.load32(_FLAGS), w.I32_EQZ, w.IF, otherwise, w.RETURN, w.END,
        w.i32(0), w.load32(_FLAGS), w.load8(), w.I32_EQZ, w.IF, otherwise, w.RETURN, w.END,
    )  # fmt: skip


def _ask(functions: Functions, context: int, argument: bytes) -> bytes:
    """The guest's `bind` of the value at the address that `argument` leaves."""
    return w.sequence(
        w.get(context), w.i32(0), w.load64(_BIND), w.i64(_UNDEFINED), w.i32(1), argument,
        w.call(functions.exported["JS_Call"]),
    )  # fmt: skip


def _is_exception(local: int) -> bytes:
    return w.sequence(w.get(local), w.i64(32), w.I64_SHR_S, w.i64(_EXCEPTION), w.I64_EQ)


def _explain_errors(functions: Functions) -> None:
    """Let the guest find the words of each error that the engine makes, once its place is known."""
    explain = _explainer(functions)
    _note_errors(functions, explain)
    own = functions.move(_BUILD_BACKTRACE)
    code = w.sequence(
        w.gets(7), w.call(own),
        w.i32(0), w.load64(_PENDING), w.I64_EQZ, w.IF, w.RETURN, w.END,
        w.i32(0), w.load64(_PENDING), w.get(1), w.I64_EQ,
        w.IF, w.i32(0), w.i64(0), w.store64(_PENDING), w.get(0), w.get(1), w.call(explain), w.END,
    )  # fmt: skip
    functions.put(_BUILD_BACKTRACE, Function((), code))


def _explainer(functions: Functions) -> int:
    """(context, error): call the guest's `explain`. What that throws is dropped, what is thrown stays."""
    context, error = 0, 1
    result, thrown, at = 2, 3, 4
    free, exception = functions.exported["JS_FreeValue"], functions.exported["JS_GetException"]
    code = w.sequence(
        w.i32(0), w.i32(1), w.store32(_BUSY),
        w.get(context), w.call(exception), w.put(thrown),
        _reserve(16), w.GLOBAL_GET, w.tee(at), w.get(error), w.store64(),
        w.get(context), w.i32(0), w.load64(_EXPLAIN), w.i64(_UNDEFINED), w.i32(1), w.get(at),
        w.call(functions.exported["JS_Call"]), w.put(result),
        _release(16),
        _is_exception(result), w.IF, w.get(context), w.call(exception), w.put(result), w.END,
        w.get(context), w.get(result), w.call(free),
        w.get(context), w.get(thrown), w.call(functions.exported["JS_Throw"]), w.DROP,
        w.i32(0), w.i32(0), w.store32(_BUSY),
    )  # fmt: skip
    return functions.add(free, Function(((2, w.I64), (1, w.I32)), code))


def _note_errors(functions: Functions, explain: int) -> None:
    own = functions.move(_MAKE_ERROR)
    context, kind, placed, text = 0, 1, 2, 3
    error = 4
    code = w.sequence(
        w.gets(4), w.call(own), w.put(error),
        w.i32(0), w.load64(_EXPLAIN), w.I64_EQZ,
        w.i32(0), w.load32(_BUSY), w.I32_OR,
        w.i32(_EXPLAINED), w.get(kind), w.I32_SHR_U, w.i32(1), w.I32_AND, w.I32_EQZ, w.I32_OR,
        _is_exception(error), w.I32_OR,
        # "Maximum call stack size exceeded": V8's words already, and no stack is left to ask for others
        w.get(text), w.load8(), w.i32(ord("M")), w.I32_EQ, w.I32_OR,
        w.IF, w.get(error), w.RETURN, w.END,
        w.i32(0), w.i32(0), w.load64(_LAST_OBJECT), w.store64(NOTED_OBJECT),
        w.get(placed),
        w.IF, w.get(context), w.get(error), w.call(explain),
        w.ELSE, w.i32(0), w.get(error), w.store64(_PENDING), w.END,
        w.get(error),
    )  # fmt: skip
    functions.put(_MAKE_ERROR, Function(((1, w.I64),), code))


def _own_stacks(functions: Functions) -> None:
    """Let an error's stack begin below the constructor that `new` was called with, as V8's does, and let
    each error have a `stack` of its own."""
    _note_new_target(functions)
    own = functions.move(_BUILD_BACKTRACE)
    context, error, flags = 0, 1, 6
    runtime, kept, frame = 7, 8, 9
    code = w.sequence(
        w.get(context), w.load32(8), w.tee(runtime), w.load32(_CURRENT_FRAME), w.put(kept),
        w.get(flags), w.i32(_SKIPS_FIRST | _FILTERS), w.I32_AND, w.i32(_SKIPS_FIRST), w.I32_EQ,
        w.IF,
        w.get(kept), w.put(frame),
        w.LOOP,
        w.get(frame),
        w.IF,
        w.get(frame), w.load64(8), w.i32(0), w.load64(_NEW_TARGET), w.I64_EQ,
        w.IF, w.get(runtime), w.get(frame), w.store32(_CURRENT_FRAME),
        w.ELSE, w.get(frame), w.load32(), w.put(frame), w.br(2), w.END,
        w.END,
        w.END,
        w.END,
        w.gets(7), w.call(own),
        w.get(runtime), w.get(kept), w.store32(_CURRENT_FRAME),
        w.get(flags), w.i32(_FILTERS), w.I32_AND, w.i32(0), w.load32(_STACK_NAME), w.I32_EQZ, w.I32_OR,
        w.IF, w.RETURN, w.END,
        w.get(error), w.call(functions.exported["JS_IsError"]), w.I32_EQZ, w.IF, w.RETURN, w.END,
        w.get(context), w.get(error), w.i32(0), w.load32(_STACK_NAME), w.i64(_UNDEFINED),
        w.i32(0), w.load64(_STACK_GETTER), w.i32(0), w.load64(_STACK_SETTER), w.i32(_ACCESSOR),
        w.call(functions.exported["JS_DefineProperty"]), w.DROP,
    )  # fmt: skip
    functions.put(_BUILD_BACKTRACE, Function(((3, w.I32),), code))


def _note_new_target(functions: Functions) -> None:
    own = functions.move(_ERROR_CONSTRUCTOR)
    new_target, before, made = 1, 5, 6
    code = w.sequence(
        w.i32(0), w.load64(_NEW_TARGET), w.put(before),
        w.i32(0), w.get(new_target), w.store64(_NEW_TARGET),
        w.gets(5), w.call(own), w.put(made),
        w.i32(0), w.get(before), w.store64(_NEW_TARGET),
        w.get(made),
    )  # fmt: skip
    functions.put(_ERROR_CONSTRUCTOR, Function(((2, w.I64),), code))


def _note_objects(functions: Functions) -> None:
    """The engine's complaint about undefined and null does not say which of them it was."""
    number = functions.exported["JS_ToObject"]
    own = functions.move(number)
    code = w.sequence(w.i32(0), w.get(1), w.store64(_LAST_OBJECT), w.gets(2), w.call(own))
    functions.put(number, Function((), code))
