"""Exceptions of tenant code as JSON for the host: code, message, frames in the tenant's own file."""

import collections
import json
import sys

from .encoder import OutputError, clean
from .errors import ApiError, FetchError
from .loop import UnsettledError

MAX_FRAMES = 32
MAX_MESSAGE = 8 * 1024
MAX_CHAIN = 5

_filename = None


def set_filename(name):
    """Frames of code with this file name are the tenant's."""
    global _filename
    _filename = name


def failure(code, message, **more):
    """A failure that is no exception of the tenant's."""
    return json.dumps({"failure": {"code": code, "message": message, **more}})


def describe(error):
    """The failure JSON of an uncaught exception. Never raises, whatever `__str__` does."""
    frames = _frames(error)
    chain = _chain(error)
    detail = {"code": _code(error), "name": _name(error), "message": _message(error), "frames": frames}
    if chain:
        detail["causes"] = chain
    return json.dumps({"failure": detail})


def _code(error, depth=0):
    if isinstance(error, BaseExceptionGroup) and depth < MAX_CHAIN:
        codes = {_code(inner, depth + 1) for inner in _members(error)[:50]}
        return codes.pop() if len(codes) == 1 else "throw"
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return "throw"


_CODES = (
    (UnsettledError, "unsettled"),
    (MemoryError, "memory"),
    (RecursionError, "stack"),
    (OutputError, "output"),
    (ApiError, "invalid_command"),
    (FetchError, "egress"),
)


def _name(error):
    return clean(type(error).__name__)[:200]


def _message(error):
    if isinstance(error, UnsettledError):
        return "the handler awaits something that nothing can settle"
    text = _text(error)
    if isinstance(error, BaseExceptionGroup):
        inner = _members(error)[:10]
        text += "".join(f"\n- {_name(one)}: {_text(one)[:500]}" for one in inner)
    notes = getattr(error, "__notes__", None)
    if type(notes) is list:
        text += "".join(f"\n{clean(note)}" for note in notes[:5] if type(note) is str)
    return text[:MAX_MESSAGE]


def _text(error):
    try:
        text = clean(str(error))
    except BaseException as inner:
        return f"<its text could not be made: {_name(inner)}>"
    return text


def _frames(error, depth=0):
    """[function, line, column] innermost first; columns count UTF-8 bytes from 0, or None."""
    found = collections.deque(maxlen=MAX_FRAMES)
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename == _filename:
            found.appendleft(_frame(code, step))
            if len(found) == MAX_FRAMES:
                found.pop()
        step = step.tb_next
    if not found and isinstance(error, BaseExceptionGroup) and depth < MAX_CHAIN:
        return _frames(_members(error)[0], depth + 1)
    return list(found)


def _members(group):
    """The exceptions of a group, whatever a subclass says they are."""
    return BaseExceptionGroup.exceptions.__get__(group)


def _frame(code, step):
    column = None
    for index, position in enumerate(code.co_positions()):
        if index == step.tb_lasti // 2:
            column = position[2]
            break
    return [code.co_qualname, step.tb_lineno, column]


def _chain(error):
    """Texts of the exceptions that led to this one."""
    texts = []
    seen = {id(error)}
    while len(texts) < MAX_CHAIN:
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is None or id(error) in seen:
            break
        seen.add(id(error))
        texts.append(f"{_name(error)}: {_text(error)[:1000]}")
    return texts


def text_of_current():
    """`traceback.format_exc()` of an Action: frames of its own file only."""
    error = sys.exception()
    if error is None:
        return "NoneType: None\n"
    lines = ["Traceback (most recent call last):"]
    for function, line, _ in reversed(_frames(error)):
        lines.append(f'  File "{_filename}", line {line}, in {function}')
    return "\n".join([*lines, f"{_name(error)}: {_text(error)}", ""])
