"""The expression that an error is about, as V8 shows it: `event.user.nope is not a function`.

The engine says where it was (roughly) and not what. A few tokens around that place tell, without parsing the
source; what they do not tell is not guessed.
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

from sandbox.javascript.tokens import NO_OPERAND, OPENING, Token, Tokens, around, is_operand

_INTERMEDIATE: Final = "(intermediate value)"
_MAX_INDEX: Final = 8
"""Tokens of an index that are shown."""
_OPAQUE: Final = frozenset(("super", "function", "class", "async", "import"))
_COMPARES: Final = frozenset(("==", "===", "!=", "!==", "<=", ">="))
_ENDS: Final = frozenset([")", "]", "}", ",", ";", ":"])


def called(text: str, at: int, *, constructor: bool) -> str | None:
    """V8's message about what is called at `at` and is no function, or no constructor."""
    tokens, here = around(text, at)
    if here is None:
        return None
    if tokens[here].text == "(" and here and is_operand(tokens[here - 1]):
        here -= 1  # the engine's place when white space stands before the bracket
    first, last = _callee(tokens, here)
    made = first > 0 and tokens[first - 1].text == "new"
    call = last < len(tokens) and (tokens[last].text == "(" or tokens[last].text.startswith(("`", "?.")))
    if not call and not made:
        return None
    chain = tokens[first:last]
    if made and any(token.text == "(" for token in chain):
        shown = _shown(chain, made=True)
        made = False
    else:
        shown = _shown(chain)
    if shown == _INTERMEDIATE:
        return None
    return f"{shown} is not a {'constructor' if made or constructor else 'function'}"


def iterated(text: str, at: int) -> str | None:
    """V8's message about what is gone through at `at` and is not iterable."""
    tokens, here = around(text, at)
    if here is None:
        return None
    before = tokens[here - 1].text if here else ""
    if before in ("...", "of"):
        if before == "..." and _in_call(tokens, here - 1):
            return "Spread syntax requires ...iterable[Symbol.iterator] to be a function"
        shown = _expression(tokens, here)
        return None if shown is None else f"{shown} is not iterable"
    pattern = _pattern(tokens, here, "[")
    if pattern is None or pattern.source is None:
        return None
    return f"{pattern.source} is not iterable"


def destructured(text: str, at: int, value: str) -> str | None:
    """V8's message about the first pattern from `at` on, which got `value`: undefined or null."""
    tokens, here = around(text, at)
    if here is None or tokens[here - 1].text == "delete":
        return None
    pattern = _pattern(tokens, here, "{")
    if pattern is None or pattern.nested:
        return None
    source = pattern.source or ("object null" if value == "null" else value)
    member = "" if pattern.first is None else f"property '{pattern.first}' of "
    return f"Cannot destructure {member}'{source}' as it is {value}."


def assigns_variable(text: str, at: int, name: str) -> bool:
    """Whether what is assigned next is the variable `name`, rather than a property of that name."""
    tokens, here = around(text, at)
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
    """The name of the property that is assigned next: `.name =`."""
    tokens, here = around(text, at)
    for index in range(here or 0, len(tokens) - 1):
        dotted = index > 0 and tokens[index - 1].text == "."
        if dotted and tokens[index].kind == "word" and _assigns(tokens[index + 1].text):
            return tokens[index].text
        if index > (here or 0) and tokens[index].text == ";":
            return None
    return None


def deleted_member(text: str, at: int) -> str | None:
    """The name of the property that is deleted: the last of a chain."""
    tokens, here = around(text, at)
    if here is None:
        return None
    first, last = _callee(tokens, here)
    while last < len(tokens) and tokens[last].text == "(":  # delete Object.freeze(x).y
        last = tokens.matching(last) + 1
        _, last = _tail(tokens, last)
    found = tokens[last - 1] if first < last <= len(tokens) else None
    return found.text if found is not None and found.kind == "word" else None


def _assigns(mark: str) -> bool:
    return mark in ("++", "--") or (mark.endswith("=") and mark not in _COMPARES)


# --- where it begins and ends ---


def _callee(tokens: Tokens, here: int) -> tuple[int, int]:
    """Where the callee around `here` begins, and where it ends: at its call."""
    first = last = here
    last = tokens.matching(last) + 1 if tokens[last].text in OPENING else last + 1
    inside, last = _tail(tokens, last)
    if inside is not None:
        first = tokens.partner.get(inside, -1)
        if first < 0:
            return here, last
        if tokens[first].text == "[":
            first = _operand(tokens, first)
    while first > 0 and tokens[first - 1].text in (".", "?."):
        first = _operand(tokens, first - 1)
    return first, last


def _tail(tokens: Tokens, last: int) -> tuple[int | None, int]:
    """The end of what goes on after an operand, and the closing bracket of what the operand was inside of."""
    inside = None
    while last < len(tokens):
        mark = tokens[last].text
        following = tokens[last + 1] if last + 1 < len(tokens) else None
        if mark in (".", "?.") and following is not None and following.kind == "word":
            last += 2
        elif mark == "?." and following is not None and following.text == "[":
            last = tokens.matching(last + 1) + 1
        elif mark == "[" and not tokens[last].newline:
            last = tokens.matching(last) + 1
        elif inside is None and (
            mark == "]" or (mark == ")" and following is not None and following.text == "(")
        ):
            inside, last = last, last + 1
        else:
            break
    return inside, last


def _operand(tokens: Tokens, end: int) -> int:
    """Where the operand before `end` begins: a name, a text, or brackets with what they belong to."""
    at = end - 1
    while at >= 0 and tokens[at].text in (")", "]"):
        opening = tokens.partner.get(at, 0)
        if opening <= 0 or not is_operand(tokens[opening - 1]):
            return opening
        at = opening - 1
    if at >= 0 and tokens[at].text == "}":
        return tokens.partner.get(at, 0)
    return max(at, 0)


def _in_call(tokens: Tokens, at: int) -> bool:
    """Whether the innermost bracket open at `at` is that of a call."""
    opening = tokens.inside[at]
    return opening > 0 and tokens[opening].text == "(" and is_operand(tokens[opening - 1])


# --- what is shown ---


def _shown(part: list[Token], *, made: bool = False) -> str:
    """A chain of members, indices and calls as V8 writes it. `made`: it begins with what `new` makes."""
    if not part:
        return _INTERMEDIATE
    chain = Tokens()
    chain.extend(part)
    chain.close()
    at, out = _primary(chain)
    if made:
        at = next(index for index, token in enumerate(chain) if token.text == "(")
        at, out = chain.matching(at) + 1, _INTERMEDIATE
    while at < len(chain):
        token = chain[at]
        if token.text == "?." and at + 1 < len(chain) and chain[at + 1].text == "[":
            at += 1
        elif token.text == "[":
            end = chain.matching(at)
            out += _index(chain[at + 1 : end])
            at = end + 1
        elif token.text == "(":
            out += "(...)"
            at = chain.matching(at) + 1
        else:
            out += token.text
            at += 1
    return out


def _index(inner: list[Token]) -> str:
    if len(inner) == 1 and inner[0].kind == "text":
        return f".{inner[0].text[1:-1]}"
    plain = 0 < len(inner) <= _MAX_INDEX and inner[0].kind != "mark"
    return f"[{_shown(inner) if plain else _INTERMEDIATE}]"


def _primary(chain: Tokens) -> tuple[int, str]:
    """How much of the chain its first operand takes, and how that is shown."""
    first = chain[0]
    if first.kind == "text":
        return 1, _INTERMEDIATE if "${" in first.text else f'"{first.text[1:-1]}"'
    if first.text in OPENING:
        end = chain.matching(0)
        return end + 1, _bracketed(first.text, chain[1:end])
    return 1, _INTERMEDIATE if first.text in _OPAQUE or first.kind == "mark" else first.text


def _bracketed(opening: str, inner: list[Token]) -> str:
    if not inner:
        return {"[": "[]", "{": "{}"}.get(opening, _INTERMEDIATE)
    plain = all(token.kind != "mark" or token.text in (".", ",") for token in inner)
    if not plain or opening == "{" or any(token.text in _OPAQUE | NO_OPERAND for token in inner):
        return _INTERMEDIATE
    parts: list[list[Token]] = [[]]
    for token in inner:
        if token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    shown = [_shown(part) for part in parts]
    if opening == "[":
        return f"[{','.join(shown)}]"
    return shown[0] if len(shown) == 1 else f"({' , '.join(shown)})"


def _expression(tokens: Tokens, at: int) -> str | None:
    """The whole expression at `at`, when it is no more than a chain."""
    if at >= len(tokens):
        return None
    if tokens[at].text in ("await", "new", *_OPAQUE):
        return _INTERMEDIATE
    end = tokens.matching(at) + 1 if tokens[at].text in OPENING else at + 1
    while end < len(tokens):
        _, further = _tail(tokens, end)
        if further < len(tokens) and tokens[further].text == "(":
            further = tokens.matching(further) + 1
        if further == end or tokens[end].text == "]":
            break
        end = further
    if end < len(tokens) and tokens[end].text not in _ENDS and not tokens[end].newline:
        return None
    return _shown(tokens[at:end])


class _Pattern(NamedTuple):
    """A destructuring pattern: its first name, what it takes apart as V8 shows it (None for a parameter or a
    loop's variable, of which V8 shows the value), and whether patterns are inside it."""

    first: str | None
    source: str | None
    nested: bool


def _pattern(tokens: Tokens, here: int, opening: str) -> _Pattern | None:
    """The first pattern from `here` on."""
    for at in range(here, len(tokens)):
        if tokens[at].text != opening or (at and opening == "[" and is_operand(tokens[at - 1])):
            continue
        end = tokens.matching(at)
        following = tokens[end + 1].text if end + 1 < len(tokens) else ""
        before = tokens[at - 1].text if at else ""
        declared = before in ("const", "let", "var")
        if following == "=" and (declared or before in ("(", ",", ";", "{", "}", "")):
            return _taken(tokens, at, end, _expression(tokens, end + 2) or _INTERMEDIATE)
        if (following == "of" and declared) or (before in ("(", ",") and _parameters(tokens, at)):
            return _taken(tokens, at, end, None)
    return None


def _taken(tokens: Tokens, at: int, end: int, source: str | None) -> _Pattern:
    inner = tokens[at + 1 : end]
    first = inner[0].text if inner and inner[0].kind == "word" else None
    nested = any(one.text == ":" and other.text in OPENING for one, other in itertools.pairwise(inner))
    return _Pattern(first, source, nested)


def _parameters(tokens: Tokens, at: int) -> bool:
    """Whether a pattern is a parameter: the list that it is in is followed by a function's body."""
    end = tokens.matching(tokens.inside[at]) if tokens.inside[at] >= 0 else len(tokens)
    return end + 1 < len(tokens) and tokens[end].text == ")" and tokens[end + 1].text in ("=>", "{")
