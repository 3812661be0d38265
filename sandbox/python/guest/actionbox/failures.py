"""Exceptions of tenant code as JSON for the host: code, message, frames in the tenant's own file."""

import collections
import json
import sys
from types import CodeType, TracebackType
from typing import Any

from .encoder import clean
from .errors import ApiError, FetchError, OutputError, UnsettledError

MAX_FRAMES = 32
MAX_MESSAGE = 16 * 1024
"""Characters; the host cuts to its own cap, which is lower, and says so."""
MAX_CHAIN = 5
MAX_MEMBERS = 10

_filenames: set[str] = set()


def set_filename(name: str) -> None:
    """Frames of code with this file name, and no other, are the tenant's."""
    _filenames.clear()
    _filenames.add(name)


def add_filename(name: str) -> None:
    """Those of code with this file name are the tenant's too."""
    _filenames.add(name)


def failure(code: str, message: str, **more: Any) -> str:
    """A failure that is no exception of the tenant's."""
    return json.dumps({"failure": {"code": code, "message": message, **more}})


def describe(error: BaseException) -> str:
    """The failure JSON of an uncaught exception."""
    frames = _frames(error)
    # Not error.rule: a subclass of the tenant's may have a property of that name.
    rule = BaseException.__getattribute__(error, "__dict__").get("rule")
    more = {"rule": rule} if isinstance(error, FetchError) and type(rule) is str else {}
    return failure(
        _code(error), _message(error), name=_name(error), frames=frames, causes=_causes(error), **more
    )


def _code(error: BaseException, depth: int = 0) -> str:
    if isinstance(error, BaseExceptionGroup) and depth < MAX_CHAIN:
        codes = {_code(inner, depth + 1) for inner in _members(error)[:MAX_MEMBERS]}
        return codes.pop() if len(codes) == 1 else "throw"
    return next((code for kind, code in _CODES if isinstance(error, kind)), "throw")


_CODES = (
    (UnsettledError, "unsettled"),
    (MemoryError, "memory"),
    (RecursionError, "stack"),
    (OutputError, "output"),
    (ApiError, "invalid_command"),
    (FetchError, "egress"),
)


def _members(group: BaseException) -> tuple[BaseException, ...]:
    """The exceptions of a group, whatever a subclass says they are."""
    return BaseExceptionGroup.exceptions.__get__(group)


def _name(error: BaseException) -> str:
    return clean(type.__getattribute__(type(error), "__name__"))[:200]


def _message(error: BaseException) -> str:
    if isinstance(error, UnsettledError):
        return "The handler awaits something that nothing can settle."
    text = _text(error)
    if isinstance(error, BaseExceptionGroup):
        text += "".join(f"\n- {_name(one)}: {_text(one)[:500]}" for one in _members(error)[:MAX_MEMBERS])
    return _cut(text + "".join(f"\n{note}" for note in _notes(error)))


def _notes(error: BaseException) -> list[str]:
    """The notes of `add_note`, read without the exception's own `__getattr__`."""
    notes = object.__getattribute__(error, "__dict__").get("__notes__")
    return [clean(note) for note in notes[:MAX_MEMBERS] if type(note) is str] if type(notes) is list else []


def _cut(text: str) -> str:
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[:MAX_MESSAGE]}… {len(text[MAX_MESSAGE:].encode())} bytes more"


def _text(error: BaseException) -> str:
    try:
        return clean(str(error))
    except BaseException as inner:
        return f"<its text could not be made: {_name(inner)}>"


def _frames(error: BaseException, depth: int = 0) -> list[list[Any]]:
    """[function, line, column, file] innermost first; columns count UTF-8 bytes from 0, or None."""
    found: collections.deque[TracebackType] = collections.deque(maxlen=MAX_FRAMES)
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename in _filenames:
            found.append(step)
        step = step.tb_next
    if not found and isinstance(error, BaseExceptionGroup) and depth < MAX_CHAIN:
        return _frames(_members(error)[0], depth + 1)
    return [_frame(step.tb_frame.f_code, step) for step in reversed(found)]


def _frame(code: CodeType, step: TracebackType) -> list[Any]:
    wanted = step.tb_lasti // 2
    column = next((place[2] for index, place in enumerate(code.co_positions()) if index == wanted), None)
    return [code.co_qualname[:200], step.tb_lineno, column, code.co_filename]


def _causes(error: BaseException) -> list[str]:
    """Texts of the exceptions that led to this one."""
    texts: list[str] = []
    seen = {id(error)}
    current: BaseException | None = error
    while len(texts) < MAX_CHAIN and current is not None:
        following = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or following
        if current is None or id(current) in seen:
            break
        seen.add(id(current))
        texts.append(f"{_name(current)}: {_text(current)[:1000]}")
    return texts


def text_of_current() -> str:
    """`traceback.format_exc()` of an Action: frames of its own file only."""
    error = sys.exception()
    if error is None:
        return "NoneType: None\n"
    lines = ["Traceback (most recent call last):"]
    for function, line, _, name in reversed(_frames(error)):
        lines.append(f'  File "{name}", line {line}, in {function}')
    return "\n".join([*lines, f"{_name(error)}: {_text(error)}", ""])
