"""One execution: run the top level, find the handler, run it to its end, say how it went."""

import difflib
import gc
import inspect
import marshal
import types

from . import console, failures, loop, names, records
from .surface import Session

OK = '{"ok":true}'


def execute(code, handler, event, surface):
    """JSON: `{"ok": true}`, `{"exports": [...]}` or `{"failure": {...}}`. Never raises.

    Args:
        code: what `build` made, with its mark: `r:` under the policy, `u:` without.
        handler: the trigger's camelCase name; empty to run the top level only and list its functions.
    """
    try:
        return _execute(code, handler, event, surface)
    except BaseException as error:
        return _failed(error)


def _failed(error):
    try:
        return failures.describe(error)
    except BaseException:
        return failures.failure("throw", "the Action failed, and its error could not be described")
    finally:
        _quietly_flush()


def _quietly_flush():
    try:
        console.flush_partial()
    except BaseException:
        return


def _execute(code, handler, event, surface):
    scope = _run_top_level(code)
    if not handler:
        return _exports(scope)
    function = _find(scope, handler)
    if function is None:
        return _missing(scope, handler)
    problem = _unfit(function)
    if problem:
        return failures.failure("handler", problem, frames=_place(function))
    record = records.parse(event)
    arguments = (record, Session(record, surface).root)[: _wanted(function)]
    del scope, code, event, surface
    result = function(*arguments)
    if inspect.isawaitable(result):
        _drive(result)
    elif isinstance(result, (types.GeneratorType, types.AsyncGeneratorType)):
        return failures.failure("handler", _GENERATOR, frames=_place(function))
    console.flush_partial()
    return OK


_GENERATOR = "the handler is a generator, so its body would never run; remove 'yield' from it"


def _run_top_level(code):
    mode, _, body = code.partition(":")
    program = marshal.loads(body.encode("latin-1"))
    failures.set_filename(program.co_filename)
    scope = {
        "__name__": "action",
        "__builtins__": names.RESTRICTED if mode == "r" else names.UNRESTRICTED,
    }
    exec(program, scope)  # the Action itself
    return scope


def _drive(result):
    if inspect.iscoroutine(result):
        loop.current().complete(result)
    else:
        loop.current().complete(_await(result))


async def _await(value):
    return await value


def _find(scope, handler):
    for name in (records.snake_case(handler), handler):
        found = scope.get(name)
        if callable(found):
            return found
    return None


def _functions(scope):
    return [
        name
        for name, value in scope.items()
        if type(value) is types.FunctionType and not name.startswith("_") and value.__globals__ is scope
    ]


def _exports(scope):
    import json

    return json.dumps({"exports": _functions(scope)})


def _missing(scope, handler):
    wanted = records.snake_case(handler)
    known = _functions(scope)
    if wanted in scope or handler in scope:
        return failures.failure("handler", f"'{wanted}' is not a function")
    near = difflib.get_close_matches(wanted, known, 1, 0.6) or difflib.get_close_matches(
        handler, known, 1, 0.6
    )
    text = f"the Action defines no function '{wanted}'"
    if near:
        text += f"; did you mean '{near[0]}'?"
    text += f"; it defines {', '.join(known[:20])}" if known else "; it defines no function at all"
    return failures.failure("handler", text, names=known[:50], nearest=near[0] if near else None)


def _unfit(function):
    """Why `function` cannot be a handler, or None."""
    if type(function) is not types.FunctionType:
        return None
    code = function.__code__
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return _GENERATOR
    required = code.co_argcount - len(function.__defaults__ or ())
    if required > 2 or code.co_kwonlyargcount > len(function.__kwdefaults__ or ()):
        return "the handler takes more than (event, api), which is all it is given"
    if code.co_argcount == 0 and not code.co_flags & inspect.CO_VARARGS:
        return "the handler takes no argument; write (event, api) or (event)"
    return None


def _wanted(function):
    """How many of (event, api) the handler takes."""
    if type(function) is not types.FunctionType:
        return 2
    code = function.__code__
    return 2 if code.co_argcount >= 2 or code.co_flags & inspect.CO_VARARGS else 1


def _place(function):
    code = getattr(function, "__code__", None)
    return [[code.co_qualname, code.co_firstlineno, None]] if code is not None else []


def settle_memory():
    """Nothing before this point is garbage: keep the collector away from the snapshot."""
    gc.collect()
    gc.freeze()
