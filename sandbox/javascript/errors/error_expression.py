"""The expression that an error is about, as V8 shows it: `event.user.nope is not a function`.

The engine says where it was, as V8 does (`sandbox.javascript.quickjs.places`), and not what. The tokens
around that place tell, without parsing the source; what they do not tell is not guessed.
"""

from __future__ import annotations

from typing import Final

from sandbox.javascript.errors.patterns import array_source, object_message
from sandbox.javascript.errors.printer import Printer, literal, shown
from sandbox.javascript.errors.tokens import OPENING, Tokens, around, is_operand

_COMPARES: Final = frozenset(("==", "===", "!=", "!==", "<=", ">="))
_CALLS: Final = ("(", "?.")


def called(text: str, at: int, *, constructor: bool) -> str | None:
    """V8's message about what is called at `at` and is no function, or no constructor."""
    tokens, here = around(text, at)
    if here is None:
        return None
    if tokens[here].text == "new":
        printer = Printer(tokens, here + 1)
        return f"{shown(printer.made())} is not a constructor"
    last = _callee_end(tokens, here)
    if last is None:
        return None
    first = _chain_begin(tokens, last)
    text = shown(Printer(tokens, first, last).expression(0))
    return f"{text} is not a {'constructor' if constructor else 'function'}"


def iterated(text: str, at: int) -> str | None:
    """V8's message about what is gone through at `at` and is not iterable; None when V8 shows the value."""
    tokens, here = around(text, at)
    if here is None:
        return None
    if tokens[here].text == "[" and (source := array_source(tokens, here)) is not None:
        return source or None
    begin = _gone_through(tokens, here)
    if begin is None:
        return None
    if tokens[begin].text == "..." and _in_call(tokens, begin):
        return _spread(tokens, begin)
    printer = Printer(tokens, begin + 1, iterating=True)
    shown_as = shown(printer.expression())
    return f"{shown_as} is not {'a function or its return value is not ' * printer.called}iterable"


def destructured(text: str, at: int, value: str) -> str | None:
    """V8's message about the pattern whose first name is at `at`, which got `value`: undefined or null."""
    tokens, here = around(text, at)
    if here is None:
        return None
    opening = here if tokens[here].text == "{" else here - 1
    if opening < 0 or tokens[opening].text != "{":
        return None
    return object_message(tokens, opening, value)


def assigns_variable(text: str, at: int, name: str) -> bool:
    """Whether what is assigned at `at` is the variable `name`, rather than a property of that name."""
    tokens, here = around(text, at)
    if here is not None and _assigns(tokens[here].text) and here:
        dotted = here > 1 and tokens[here - 2].text in (".", "?.")
        return tokens[here - 1].text == name and not dotted
    for index in range(here or 0, len(tokens)):
        token = tokens[index]
        before = tokens[index - 1].text if index else ""
        if token.kind == "text" and token.text[1:-1] == name:
            return False
        if token.text != name:
            continue
        if before in (".", "?."):
            return False
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if _assigns(following) or before in ("++", "--"):
            return True
    return True


def assigned_member(text: str, at: int) -> str | None:
    """The name of the property that is assigned at `at`: `.name =`, `["name"] =`."""
    tokens, here = around(text, at)
    if here is not None and here > 1 and _assigns(tokens[here].text):
        return _member_before(tokens, here)
    for index in range(here or 0, len(tokens) - 1):
        dotted = index > 0 and tokens[index - 1].text == "."
        if dotted and tokens[index].kind == "word" and _assigns(tokens[index + 1].text):
            return tokens[index].text
        if index > (here or 0) and tokens[index].text == ";":
            return None
    return None


def deleted_member(text: str, at: int) -> str | None:
    """The name of the property that is deleted: that at `at`, or the last of the chain that begins there."""
    tokens, here = around(text, at)
    if here is None:
        return None
    last = here
    while last + 2 < len(tokens) and tokens[last + 1].text in (".", "?.", "("):
        last = tokens.matching(last + 1) if tokens[last + 1].text == "(" else last + 2
    return _member_before(tokens, last + 1)


def _member_before(tokens: Tokens, end: int) -> str | None:
    """The name of the member that a chain ends with, before `end`."""
    last = tokens[end - 1]
    if last.text == "]":
        inner = tokens[tokens.partner.get(end - 1, 0) + 1 : end - 1]
        return literal(inner[0].text) if len(inner) == 1 and inner[0].kind == "text" else None
    dotted = end > 1 and tokens[end - 2].text in (".", "?.")
    return last.text if dotted and last.kind == "word" else None


def _assigns(mark: str) -> bool:
    return mark in ("++", "--") or (mark.endswith("=") and mark not in _COMPARES)


# --- where it begins and ends ---


def _callee_end(tokens: Tokens, here: int) -> int | None:
    """The token behind the callee of the call at `here`: at its name, its bracket or its template."""
    token = tokens[here]
    if token.text in _CALLS or token.kind == "text":
        end = here - 1 if here and tokens[here - 1].text == "?." else here
        return end if end and (is_operand(tokens[end - 1]) or tokens[end - 1].text == "}") else None
    if token.kind != "word" or not is_operand(token):
        return None
    # Places of a compiled source may be a little before what is meant.
    for end in range(here + 1, min(here + 4, len(tokens))):
        if tokens[end].text in _CALLS or tokens[end].text[0] == "`":
            return end
        if tokens[end].text not in ("]", ")", "!"):
            break
    return None


def _chain_begin(tokens: Tokens, end: int) -> int:
    """The start of the chain of members, indices and calls that ends before `end`."""
    first = _operand(tokens, end)
    while first > 0 and tokens[first - 1].text in (".", "?."):
        first = _operand(tokens, first - 1)
    if first > 0 and tokens[first - 1].text == "new" and _has_call(tokens, first, end):
        first -= 1
    return first


def _has_call(tokens: Tokens, first: int, end: int) -> bool:
    return any(tokens[at].text == "(" and at > first for at in range(first, end))


def _operand(tokens: Tokens, end: int) -> int:
    """The start of the operand before `end`: a name, a text, or brackets with what they belong to."""
    at = end - 1
    while at > 0 and (tokens[at].text in (")", "]") or tokens[at].text[0] == "`"):
        opening = tokens.partner.get(at, 0) if tokens[at].kind == "mark" else at
        if opening <= 0 or not is_operand(tokens[opening - 1]) or tokens[opening - 1].text == "of":
            return opening
        at = opening - 1
        if at and tokens[at].text == "?.":
            at -= 1
    if at >= 0 and tokens[at].text == "}":
        return tokens.partner.get(at, 0)
    return max(at, 0)


def _gone_through(tokens: Tokens, here: int) -> int | None:
    """The `...` or `of` whose operand `here` is in."""
    at = here
    while at >= 0:
        token = tokens[at]
        if token.text == "..." or (token.text == "of" and at and _is_loop(tokens, at)):
            return at
        if token.text in (";", "=>") or (token.text == "{" and at != here):
            return None
        closes = token.kind == "mark" and token.text in OPENING.values()
        at = tokens.partner.get(at, at) - 1 if closes and at != here else at - 1
    return None


def _is_loop(tokens: Tokens, at: int) -> bool:
    """Whether the word `of` at `at` is that of a loop."""
    opening = tokens.inside[at]
    return opening > 0 and tokens[opening].text == "(" and tokens[opening - 1].text in ("for", "await")


def _in_call(tokens: Tokens, at: int) -> bool:
    """Whether the innermost bracket open at `at` is that of a call."""
    opening = tokens.inside[at]
    return opening > 0 and tokens[opening].text == "(" and is_operand(tokens[opening - 1])


def _spread(tokens: Tokens, at: int) -> str | None:
    """About `f(...x)`. V8 tells of the last argument only."""
    printer = Printer(tokens, at + 1)
    printer.expression()
    if printer.at < len(tokens) and tokens[printer.at].text == ",":
        return None
    return "Spread syntax requires ...iterable[Symbol.iterator] to be a function"


def spread_of(text: str, at: int, value: str) -> str | None:
    """V8's message about `f(...x)` at `at` when x is `value`: undefined or null."""
    tokens, here = around(text, at)
    begin = None if here is None else _gone_through(tokens, here)
    if begin is None or not _in_call(tokens, begin) or tokens[begin].text != "...":
        return None
    if _spread(tokens, begin) is None:
        return None
    return f"{shown(Printer(tokens, begin + 1).expression())} is not iterable (cannot read property {value})"
