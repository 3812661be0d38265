"""One execution: run the top level, find the handler, run it to its end, say how it went."""

import difflib
import inspect
import json
import marshal
import sys
import types
from collections.abc import Awaitable, Callable
from typing import Any

from . import console, failures, loop, names, records, units
from .surface import Session

OK = '{"ok":true}'
MODULE = "action"
"""`__name__` of an Action, so that `if __name__ == "__main__":` keeps trial code out."""

_GENERATOR = "The handler is a generator, so its body would never run; remove 'yield' from it."


def execute(code: str, handler: str, event: str, surface: str, secrets: str) -> str:
    """JSON: `{"ok": true}`, `{"exports": [...]}` or `{"failure": {...}}`. Never raises.

    Args:
        code: what `build` made, a character per byte, with its mark: `r:` under the policy, `u:` without;
            `r+` or `u+` and a line of JSON when the Action brings units along (see `units.equip`).
        handler: the trigger's camelCase name; empty to run the top level only and list its functions.
        secrets: JSON: those of shared modules; may be empty.
    """
    try:
        return _execute(code, handler, event, surface, secrets)
    except BaseException as error:
        return _failed(error)


def _failed(error: BaseException) -> str:
    try:
        return failures.describe(error)
    except BaseException:
        return failures.failure("throw", "The Action failed, and its error could not be described.")
    finally:
        _flush()


def _flush() -> None:
    try:
        console.flush_partial()
    except BaseException:
        return


def _execute(code: str, handler: str, event: str, surface: str, secrets: str) -> str:
    scope = _run_top_level(code, secrets)
    if not handler:
        return json.dumps({"exports": _functions(scope)})
    function = _find(scope, handler)
    if function is None:
        return _missing(scope, handler)
    problem = _unfit(function)
    if problem:
        return failures.failure("handler", problem, frames=_place(function))
    record = records.parse(event)
    try:
        result = function(*(record, Session(record, surface).root)[: _wanted(function)])
        if inspect.isawaitable(result):
            loop.current().complete(result if inspect.iscoroutine(result) else _awaited(result))
    finally:
        loop.current().drain()
    if isinstance(result, (types.GeneratorType, types.AsyncGeneratorType)):
        return failures.failure("handler", _GENERATOR, frames=_place(function))
    console.flush_partial()
    return OK


async def _awaited(value: Awaitable[Any]) -> Any:
    return await value


def _run_top_level(code: str, secrets: str) -> dict[str, Any]:
    builtins = names.RESTRICTED if code[0] == "r" else names.UNRESTRICTED
    if code[1] == "+":
        header, _, body = code[2:].partition("\n")
        builtins = units.equip(json.loads(header), secrets, builtins)
    else:
        body = code[2:]
    program = marshal.loads(body.encode("latin-1"))
    failures.set_filename(program.co_filename)
    # Dataclasses and typing look a class's module up by its name.
    module = sys.modules[MODULE] = types.ModuleType(MODULE)
    scope = vars(module)
    scope["__builtins__"] = builtins
    exec(program, scope)  # the Action itself
    return scope


def _find(scope: dict[str, Any], handler: str) -> Callable[..., Any] | None:
    for name in (records.snake_case(handler), handler):
        found = scope.get(name)
        if callable(found):
            return found
    return None


def _functions(scope: dict[str, Any]) -> list[str]:
    """Public functions that the Action itself defines."""
    return [
        name
        for name, value in scope.items()
        if type(value) is types.FunctionType and name[:1] != "_" and value.__globals__ is scope
    ]


def _twins(wanted: str, name: str) -> bool:
    """Whether two names are those of an Action's execute and continue handler: alike, not misspelt."""
    return wanted.replace("continue", "execute") == records.snake_case(name).replace("continue", "execute")


def _missing(scope: dict[str, Any], handler: str) -> str:
    wanted = records.snake_case(handler)
    for name in (wanted, handler):
        if name in scope:
            return failures.failure("handler", f"'{name}' is not a function.")
    known = _functions(scope)
    others = [name for name in known if not _twins(wanted, name)]
    near = difflib.get_close_matches(wanted, others, 1, 0.6) or difflib.get_close_matches(
        handler, others, 1, 0.6
    )
    text = f"The Action defines no function '{wanted}'"
    if near:
        text += f"; rename '{near[0]}' to it"
    text += f". It defines: {', '.join(known[:20])}." if known else ". It defines no function at all."
    return failures.failure("handler", text, names=known[:50], nearest=near[0] if near else None)


def _unfit(function: Callable[..., Any]) -> str | None:
    """The reason why `function` cannot be a handler, or None."""
    if type(function) is not types.FunctionType:
        return None
    code = function.__code__
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return _GENERATOR
    required = code.co_argcount - len(function.__defaults__ or ())
    if required > 2 or code.co_kwonlyargcount > len(function.__kwdefaults__ or ()):
        return "The handler wants more than (event, api), which is all that it is given."
    if code.co_argcount == 0 and not code.co_flags & inspect.CO_VARARGS:
        return "The handler takes no argument; write (event, api) or (event)."
    return None


def _wanted(function: Callable[..., Any]) -> int:
    """The number of arguments, of (event, api), that the handler takes."""
    if type(function) is not types.FunctionType:
        return 2
    code = function.__code__
    return 2 if code.co_argcount >= 2 or code.co_flags & inspect.CO_VARARGS else 1


def _place(function: Callable[..., Any]) -> list[list[Any]]:
    code = getattr(function, "__code__", None)
    return [[code.co_qualname, code.co_firstlineno, None]] if type(code) is types.CodeType else []
