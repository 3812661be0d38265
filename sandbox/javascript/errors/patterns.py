"""V8's message for a destructuring pattern that got nothing to take apart, from the tokens of the pattern."""

from __future__ import annotations

from typing import Final, NamedTuple

from sandbox.javascript.errors.printer import CONDITIONAL, Printer, literal, shown
from sandbox.javascript.errors.tokens import Tokens, is_operand

_DECLARES: Final = ("const", "let", "var")


class _Pattern(NamedTuple):
    """A pattern and where it stands.

    Attributes:
        inside: it is part of another pattern.
        parameter: of a function.
        source: what it takes apart, as V8 shows it; empty where V8 shows the value.
        default: `source` is its default.
    """

    inside: bool
    parameter: bool
    source: str
    default: bool = False


def object_message(tokens: Tokens, opening: int, value: str) -> str | None:
    """About the object pattern whose bracket is at `opening` and which got `value`: undefined or null."""
    found = _pattern(tokens, opening)
    if found is None:
        return None
    name = _first_name(tokens, opening)
    if found.inside and not found.default:
        return _inner_message(tokens, opening, name, value)
    source = found.source or ("object null" if value == "null" else value)
    member = "" if name is None else f"property '{name}' of "
    return f"Cannot destructure {member}'{source}' as it is {value}."


def array_source(tokens: Tokens, opening: int) -> str | None:
    """The message about the array pattern at `opening`.

    Empty where V8 shows the value, None for no pattern.
    """
    found = _pattern(tokens, opening)
    if found is None:
        return None
    if found.inside or found.parameter or found.default:
        return ""
    return f"{found.source} is not iterable" if found.source == ".for" else _plain(tokens, opening)


def _plain(tokens: Tokens, opening: int) -> str:
    """V8 shows what a declaration takes apart when it is a name, a literal or a call of a name."""
    if not _declared(tokens, opening):
        return ""
    printer = Printer(tokens, tokens.matching(opening) + 2, iterating=True)
    begin = printer.at
    text = printer.expression()
    following = tokens[begin + 1].text if begin + 1 < len(tokens) else ""
    if printer.called and following == "(":
        return f"{text} is not a function or its return value is not iterable"
    alone = printer.at == begin + 1 or tokens[begin].text in ("{", "[")
    return f"{text} is not iterable" if alone and text and not printer.called else ""


def _inner_message(tokens: Tokens, opening: int, name: str | None, value: str) -> str:
    if name is not None:
        return f"Cannot read properties of {value} (reading '{name}')"
    outer = tokens.inside[opening]
    source = None if outer < 0 else _pattern(tokens, outer)
    key = _key_before(tokens, opening)
    if source is None or source.inside or key is None or _first(tokens, opening) == "...":
        return f"Cannot read properties of {value}"
    return f"Cannot destructure property '{key}' of '{source.source or value}' as it is {value}."


def _pattern(tokens: Tokens, opening: int) -> _Pattern | None:
    """The pattern at `opening`; None for what is no pattern."""
    end = tokens.matching(opening)
    default = end + 1 < len(tokens) and tokens[end + 1].text == "="
    outermost = opening
    while _is_inside(tokens, outermost):
        outermost = tokens.inside[outermost]
    found = _outermost(tokens, outermost)
    if found is None or outermost == opening:
        return found
    source = shown(Printer(tokens, end + 2).expression()) if default else ""
    return _Pattern(True, False, source, default)


def _is_inside(tokens: Tokens, opening: int) -> bool:
    """Whether what opens at `opening` is a part of another pattern, if it is one itself."""
    before = tokens[opening - 1].text if opening else ""
    outer = tokens.inside[opening]
    within = tokens[outer].text if outer >= 0 else ""
    if within == "{":
        return before in (":", "...")
    return within == "[" and before in ("[", ",", "...")


def _outermost(tokens: Tokens, opening: int) -> _Pattern | None:
    end = tokens.matching(opening)
    following = tokens[end + 1].text if end + 1 < len(tokens) else ""
    before = tokens[opening - 1].text if opening else ""
    outer = tokens.inside[opening]
    within = tokens[outer].text if outer >= 0 else ""
    if before in ("(", ",") and within == "(":
        if outer and tokens[outer - 1].text == "catch":
            return _Pattern(False, False, ".catch")
        if _parameters(tokens, outer):
            return _Pattern(False, True, CONDITIONAL if following == "=" else "", following == "=")
    if following == "of" and within == "(":
        return _Pattern(False, False, ".for")
    if following == "=" and (before in _DECLARES or not opening or not is_operand(tokens[opening - 1])):
        return _Pattern(False, False, shown(Printer(tokens, end + 2).expression()))
    return None


def _declared(tokens: Tokens, opening: int) -> bool:
    before = tokens[opening - 1].text if opening else ""
    return before in _DECLARES or before == ","


def _first(tokens: Tokens, opening: int) -> str:
    return tokens[opening + 1].text if opening + 1 < len(tokens) else ""


def _first_name(tokens: Tokens, opening: int) -> str | None:
    """The first name of a pattern; None for none, a computed one or the rest."""
    if opening + 1 >= len(tokens):
        return None
    token = tokens[opening + 1]
    if token.kind == "text":
        return literal(token.text)
    return token.text if token.kind == "word" else None


def _key_before(tokens: Tokens, opening: int) -> str | None:
    token = tokens[opening - 2] if opening > 1 and tokens[opening - 1].text == ":" else None
    if token is None:
        return None
    return literal(token.text) if token.kind == "text" else token.text if token.kind == "word" else None


def _parameters(tokens: Tokens, outer: int) -> bool:
    """Whether the bracket at `outer` holds parameters: a function's body follows."""
    end = tokens.matching(outer)
    return end + 1 < len(tokens) and tokens[end].text == ")" and tokens[end + 1].text in ("=>", "{")
