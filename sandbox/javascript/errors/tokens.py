"""The tokens of JavaScript around a place in a source, without parsing it."""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

_BACK_LINES: Final = 12
_BACK: Final = 1_000
_AHEAD: Final = 1_500
"""Lines and characters before the place that are looked at, and characters after it."""
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\]|\\.)*`)
      | (?P<word>[\w$\#]+)
      | (?P<mark>\.\.\.|\?\.(?!\d)|=>|[=!]==?|[-+*/%&|^<>?]{1,3}=|\+\+|--|\?\?|\|\||&&|\*\*|<<|>>>?|.)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX: Final = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
CLOSING: Final = {")": "(", "]": "[", "}": "{"}
OPENING: Final = {opening: closing for closing, opening in CLOSING.items()}
NO_OPERAND: Final = frozenset(
    re.findall(
        r"\w+",
        "return typeof instanceof in of new delete void throw case do else await yield const let var if "
        "while",
    )
)


class Token(NamedTuple):
    kind: str
    text: str
    at: int
    newline: bool
    """A line ends before it."""


class Tokens(list[Token]):
    """The tokens around a place, with what each bracket belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.partner: dict[int, int] = {}
        """Of a bracket, the other one."""
        self.inside: list[int] = []
        """Of a token, the bracket that is open there; -1 for none."""

    def close(self) -> None:
        """All tokens are there."""
        open_: list[int] = []
        for at, token in enumerate(self):
            if token.text in CLOSING and open_:
                self.partner[at] = open_.pop()
                self.partner[self.partner[at]] = at
            self.inside.append(open_[-1] if open_ else -1)
            if token.text in OPENING:
                open_.append(at)

    def matching(self, at: int) -> int:
        """The bracket that closes the one at `at`; the last token when none does."""
        return self.partner.get(at, len(self) - 1)


def character(line: str, column: int) -> int:
    """The column in characters of a `column` in UTF-16 code units, as the engine counts; both from 1."""
    if max(line[: max(column - 1, 0)], default="") < "\U00010000":
        return column
    data = line.encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
    return len(data.decode("utf-16-le", "replace")) + 1


def offset(text: str, line: int, column: int | None) -> int | None:
    """The offset in `text` of a line and column in UTF-16 code units, both from 1."""
    if column is None or line < 1:
        return None
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
        if at == 0:
            return None
    end = text.find("\n", at)
    at += character(text[at : end if end >= 0 else len(text)], column) - 1
    return at if at < len(text) else None


@functools.lru_cache(maxsize=64)
def around(text: str, at: int) -> tuple[Tokens, int | None]:
    """The tokens around `at`, and which of them is there."""
    start = at
    for _ in range(_BACK_LINES):
        start = text.rfind("\n", max(0, at - _BACK), start)
        if start < 0:
            start = max(0, at - _BACK)
            break
    tokens = Tokens()
    newline, here = False, None
    end = min(len(text), at + _AHEAD)
    while start < end:
        found = _TOKEN.match(text, start, end)
        if found is None:
            break
        kind = str(found.lastgroup)
        if kind == "space":
            newline = newline or "\n" in found[0]
            start = found.end()
            continue
        if found[0][0] == "/" and (not tokens or not is_operand(tokens[-1])):
            regex = _REGEX.match(text, start, end)
            found, kind = (found, kind) if regex is None else (regex, "regex")
        if kind == "text" and found[0][0] == "`" and start < at < found.end():
            inside = text.rfind("${", start, at + 1)
            if inside >= 0:  # the place is in a template
                tokens, start = Tokens(), inside + 2
                continue
        start = found.end()
        if here is None and start > at:
            here = len(tokens)
        tokens.append(Token(kind, found[0], found.start(), newline))
        newline = False
    tokens.close()
    return tokens, here


def is_operand(token: Token) -> bool:
    """Whether what follows the token goes on with an expression."""
    if token.kind == "word":
        return token.text not in NO_OPERAND
    return token.kind in ("text", "regex") or token.text in (")", "]")
