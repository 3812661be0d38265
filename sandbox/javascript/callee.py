"""What was called that is no function: the engine does not say, the source does."""

from __future__ import annotations

import re
import string
from typing import Final

from sandbox.failure import Place

NOT_A_FUNCTION: Final = "not a function"
"""The engine's words; Node names what was called, and so do we."""
_WORD: Final = string.ascii_letters + string.digits + "_$#"
_MEMBER: Final = re.compile(r"[\w$#]+(?=\s*\()")
_BEFORE: Final = re.compile(r"(?P<new>\bnew\s+)?(?P<path>[\w$.?]*)$")
_WHOLE: Final = re.compile(r"(?P<path>[\w$]+(?:\??\.[\w$#]+)*)(?=\s*\()")


def named(message: str, place: Place | None) -> str:
    """The message of a TypeError, with the name of the callee when it is the engine's complaint and the line
    shows one."""
    if message != NOT_A_FUNCTION or place is None or place.column is None or place.excerpt is None:
        return message
    line, at = place.excerpt, place.column - 1
    if line[at : at + 1] == "(":  # the engine's place when white space stands before it
        at = len(line[:at].rstrip())
        at -= len(line[:at]) - len(line[:at].rstrip(_WORD))
    before = _BEFORE.search(line[:at])
    member = _WHOLE.match(line, at) or _MEMBER.match(line, at)
    if before is None or member is None or member[0] == "TypeError":  # the Action's own `new TypeError(...)`
        return message
    kind = "constructor" if before["new"] else "function"
    return f"{before['path']}{member[0]} is not a {kind}"
