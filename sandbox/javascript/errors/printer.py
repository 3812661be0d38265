"""An expression as V8 shows it in the message of an error: `fn(...)[0]`, `(k + 1)`, `(intermediate value).x`.

V8 writes what it has parsed, in brackets of its own, and leaves out what is long: arguments, functions,
objects. This reads as much of the expression from tokens as it takes to write the same.
"""

from __future__ import annotations

from typing import Final

from sandbox.javascript.errors.tokens import OPENING, Token, Tokens

INTERMEDIATE: Final = "(intermediate value)"
CONDITIONAL: Final = 3 * INTERMEDIATE
_MAX_DEPTH: Final = 24
_FUNCTIONS: Final = frozenset(("function", "class", "async"))
_SILENT: Final = frozenset(("super", "import"))
_UNARY: Final = frozenset(("!", "~", "+", "-", "typeof", "void", "delete"))
_PASSED: Final = frozenset(("await", "yield"))
_LEVELS: Final = (
    (",",),
    ("??",),
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!=", "===", "!=="),
    ("<", ">", "<=", ">=", "instanceof", "in"),
    ("<<", ">>", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
"""Operators, those that bind loosest first."""
_LEVEL: Final = {mark: level for level, marks in enumerate(_LEVELS) for mark in marks}
_ASSIGNS: Final = frozenset(
    ("=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "&&=", "||=", "??=")
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class Printer:
    """Reads from `at` up to `end`.

    Attributes:
        at: the first token that was not read.
        called: what was read last is the result of a call or of `new`.
    """

    def __init__(self, tokens: Tokens, at: int, end: int | None = None, *, iterating: bool = False) -> None:
        self._tokens = tokens
        self._end = len(tokens) if end is None else end
        self._iterating = iterating
        self._depth = 0
        self.at = at
        self.called = False

    def expression(self, level: int = 1) -> str:
        """The text of an expression; empty for one that V8 does not show. Level 0 takes commas too."""
        if not self._deeper():
            return ""
        left = self._binary(level)
        mark = self._mark()
        if mark == "?" and level <= 1:
            self._skip_conditional()
            left = CONDITIONAL
        elif mark in _ASSIGNS and level <= 1:
            self.at += 1
            self.expression(1)
            left = ""
        self._depth -= 1
        return left

    def _deeper(self) -> bool:
        """Go one level down; at the bottom, leave all that follows unread."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self.at = self._end
        return self._depth <= _MAX_DEPTH

    def _binary(self, level: int) -> str:
        parts, operator = [self._unary()], ""
        while (found := _LEVEL.get(self._mark(), -1)) >= level:
            if operator and self._mark() != operator:
                parts = [_grouped(parts, operator)]
            operator = self._mark()
            self.at += 1
            parts.append(self._binary(found + 1))
            self.called = False
        return _grouped(parts, operator) if operator else parts[0]

    def _unary(self) -> str:
        token = self._token()
        if token is None or not self._deeper():
            return ""
        text = self._prefixed(token)
        self._depth -= 1
        return text

    def _prefixed(self, token: Token) -> str:
        if token.text in _PASSED:
            self.at += 1
            return self._unary()
        if token.text in ("++", "--"):
            self.at += 1
            return f"({token.text}{shown(self._unary())})"
        if token.text not in _UNARY:
            return self._postfix(self._primary())
        self.at += 1
        following = self._token()
        if token.text == "-" and following is not None and following.text[0].isdigit():
            return "-" + self._unary()
        space = " " if token.kind == "word" else ""
        return f"({token.text}{space}{shown(self._unary())})"

    def _primary(self) -> str:
        token = self._tokens[self.at]
        self.called = False
        if self._is_function(token):
            return self._skip_function()
        if token.text in OPENING:
            return self._bracketed(token)
        self.at += 1
        if token.kind == "text":
            return self._template(token.text) if "${" in token.text else f'"{literal(token.text)}"'
        if token.kind == "regex":
            return token.text
        if token.text == "new":
            return self._new()
        if token.kind == "mark" or token.text in _SILENT:
            return ""
        if token.text[0].isdigit():
            return self._number(token.text)
        return token.text

    def _number(self, text: str) -> str:
        if self._mark() == "." and not text.endswith("n"):
            following = self._peek(1)
            if following is not None and (following.text == "." or following.text[0].isdigit()):
                self.at += 1
                if following.text != ".":
                    self.at += 1
                    text += "." + following.text
        return "" if text.endswith("n") else text

    def _bracketed(self, token: Token) -> str:
        begin, end = self.at + 1, min(self._tokens.matching(self.at), self._end)
        self.at = end + 1
        if token.text == "{":
            return "{" + INTERMEDIATE * self._items(begin, end) + "}"
        inner = Printer(self._tokens, begin, end, iterating=self._iterating)
        inner._depth = self._depth
        if token.text == "(":
            text = inner.expression(0)
            self.called = inner.called
            return text
        items = []
        while inner.at < end and inner._depth <= _MAX_DEPTH:
            spread = inner._mark() == "..."
            inner.at += spread
            item = shown(inner.expression())
            items.append(f"(...{item})" if spread else item)
            inner.at += 1
        return f"[{','.join(items)}]"

    def _items(self, begin: int, end: int) -> int:
        """The number of items between two brackets."""
        count, at = int(begin < end), begin
        while at < end:
            at = self._tokens.matching(at) if self._tokens[at].text in OPENING else at
            count += at < end - 1 and self._tokens[at].text == ","
            at += 1
        return count

    def _template(self, text: str) -> str:
        """Of a template, the names in it."""
        out = ""
        for part in text.split("${")[1:]:
            name = part.partition("}")[0].strip()
            out += name if name.isidentifier() else INTERMEDIATE
        return out

    def made(self) -> str:
        """The text behind `new`, without arguments."""
        made = ""
        if self.at < self._end and self._deeper():
            made = self._postfix(self._primary(), calls=False)
            self._depth -= 1
        return made

    def _new(self) -> str:
        """Give the text of `new`, which is shown only where the new value is iterated over."""
        made = self.made()
        if self._mark() == "(":
            self.at = self._tokens.matching(self.at) + 1
        self.called = True
        return made if self._iterating else ""

    def _postfix(self, text: str, *, calls: bool = True) -> str:
        while (token := self._token()) is not None:
            optional = token.text == "?."
            following = self._peek(1) if optional else token
            mark = "" if following is None else following.text
            if mark == "[" and (optional or not token.newline):
                self.at += optional
                text = shown(text) + self._index("?." if optional else "")
            elif mark == "(" and calls:
                self.at = self._tokens.matching(self.at + optional) + 1
                text = self._call(text)
                continue
            elif token.text in (".", "?.") and (name := self._peek(1)) is not None and name.kind == "word":
                private = name.text.startswith("#")
                text = shown(text) + (f"[{name.text}]" if private else token.text + name.text)
                self.at += 2
            elif calls and token.kind == "text" and token.text[0] == "`":
                self.at += 1
                text = self._call(text)
                continue
            else:
                break
            self.called = False
        if self._mark() in ("++", "--") and not self._tokens[self.at].newline:
            text = f"({shown(text)}{self._mark()})"
            self.at += 1
        return text

    def _call(self, text: str) -> str:
        self.called = True
        return shown(text) if self._iterating else shown(text) + "(...)"

    def _index(self, prefix: str) -> str:
        begin, end = self.at + 1, min(self._tokens.matching(self.at), self._end)
        self.at = end + 1
        only = self._tokens[begin] if end - begin == 1 else None
        if only is not None and only.kind == "text" and "${" not in only.text:
            return (prefix or ".") + literal(only.text)
        inner = Printer(self._tokens, begin, end, iterating=self._iterating)
        inner._depth = self._depth
        return f"{prefix}[{shown(inner.expression(0))}]"

    # --- what is not shown ---

    def _is_function(self, token: Token) -> bool:
        if token.text in _FUNCTIONS:
            return token.text != "async" or (after := self._peek(1)) is None or after.text not in (".", ")")
        if token.text == "(":
            after = self._peek(self._tokens.matching(self.at) + 1 - self.at)
        else:
            after = self._peek(1)
        return after is not None and after.text == "=>" and token.kind in ("word", "mark")

    def _skip_function(self) -> str:
        while (token := self._token()) is not None and token.text not in ("{", "=>"):
            self.at = self._tokens.matching(self.at) + 1 if token.text in OPENING else self.at + 1
        if self._mark() == "=>":
            self.at += 1
        if self._mark() == "{":
            self.at = self._tokens.matching(self.at) + 1
        else:
            self.expression()
        self.called = False
        return ""

    def _skip_conditional(self) -> None:
        self.at += 1
        self.expression()
        if self._mark() == ":":
            self.at += 1
            self.expression()
        self.called = False

    # --- tokens ---

    def _token(self) -> Token | None:
        return self._peek(0)

    def _peek(self, ahead: int) -> Token | None:
        at = self.at + ahead
        return self._tokens[at] if 0 <= at < min(self._end, len(self._tokens)) else None

    def _mark(self) -> str:
        token = self._token()
        return "" if token is None or token.kind in ("text", "regex") else token.text


def _grouped(parts: list[str], operator: str) -> str:
    return f"({f' {operator} '.join(shown(part) for part in parts)})"


def shown(text: str) -> str:
    return text or INTERMEDIATE


def literal(text: str) -> str:
    """The text that a literal in quotes stands for."""
    out, inner = "", iter(text[1:-1])
    for character in inner:
        if character == "\\":
            character = next(inner, "")
            character = _ESCAPES.get(character, character)
        out += character
    return out
