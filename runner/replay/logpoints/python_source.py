"""Calls in front of statements of a Python source, none of which changes its line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CHANGING: Final = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
_WRAPPED: Final = (ast.If, ast.While, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith, ast.Match)
"""Statements with a body; the call goes into the expression that they begin with."""


class Point(NamedTuple):
    """A call to put before what begins on `line`."""

    line: int
    call: str


class Insertion(NamedTuple):
    """Text that was put into a line. `column`: from 0, in characters, of the original line."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The source with its calls, the lines before which calls can go, and what was put in."""

    text: str
    lines: tuple[int, ...]
    insertions: tuple[Insertion, ...]


def check_expression(text: str) -> None:
    """Raises `SyntaxError` for what is not one expression, or changes something by itself."""
    tree = ast.parse(text, mode="eval")
    if any(isinstance(node, _CHANGING) for node in ast.walk(tree)) or "\n" in text or "#" in text:
        raise SyntaxError("it would change something or wait, or is not on one line")


def lines_of(text: str) -> list[str]:
    """The lines as Python's parser sees them, each with its end."""
    return _LINE.findall(text)


def place_calls(text: str, points: Sequence[Point], name: str, tail: str, watched: str = "") -> Placed:
    """Put calls into `text`, each an expression that is false; those for other lines are left out.

    Args:
        name: what calls ask for first; it is None until `tail`, which goes to the end, has run.
        watched: a call to put before every statement in a function, with LINE where its line goes.

    Raises:
        SyntaxError: the source does not parse.
    """
    tree = ast.parse(text)
    lines = lines_of(text)
    found = dict(_statements(tree))
    wanted = list(points)
    if watched:
        wanted = [Point(line, watched.replace("LINE", str(line))) for line in found] + wanted
    made: list[Insertion] = []
    if points or watched:
        made += _first(tree, name, lines)
    for point in wanted:
        if point.line in found:
            made += _before(found[point.line], f"{name} and {name}({point.call})", lines)
    return Placed(_applied(lines, made) + f"\n{tail}", tuple(sorted(found)), tuple(made))


def _statements(tree: ast.Module) -> Iterator[tuple[int, ast.stmt]]:
    """Statements in functions that are first on their line; outermost first, so the first counts."""
    seen: set[int] = set()
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.stmt) or node is function or node.lineno in seen:
                continue
            if node.lineno == function.lineno or _is_docstring(node, function):
                continue
            simple = not hasattr(node, "body") and not isinstance(node, (ast.Global, ast.Nonlocal))
            if simple or isinstance(node, _WRAPPED):
                seen.add(node.lineno)
                yield node.lineno, node


def _is_docstring(node: ast.stmt, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return (
        node is function.body[0]
        and isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _first(tree: ast.Module, name: str, lines: Sequence[str]) -> list[Insertion]:
    """`name = None` before the first plain statement of the module, where calls may begin."""
    for node in tree.body:
        late = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not late and not docstring and not hasattr(node, "body"):
            column = _column(lines, node.lineno, node.col_offset)
            return [Insertion(node.lineno, column, f"{name} = None; ")]
    return []


def _before(node: ast.stmt, call: str, lines: Sequence[str]) -> list[Insertion]:
    inner = _begun_with(node)
    if inner is None:
        return [Insertion(node.lineno, _column(lines, node.lineno, node.col_offset), f"{call}; ")]
    assert inner.end_lineno is not None
    assert inner.end_col_offset is not None
    start = Insertion(inner.lineno, _column(lines, inner.lineno, inner.col_offset), f"(({call}) or (")
    end = Insertion(inner.end_lineno, _column(lines, inner.end_lineno, inner.end_col_offset), "))")
    return [start, end]


def _begun_with(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, (ast.If, ast.While)):
        return node.test
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return node.iter
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return node.items[0].context_expr
    return node.subject if isinstance(node, ast.Match) else None


def _column(lines: Sequence[str], line: int, offset: int) -> int:
    """Characters for UTF-8 bytes."""
    return len(lines[line - 1].encode()[:offset].decode())


def _applied(lines: Sequence[str], made: Sequence[Insertion]) -> str:
    changed = list(lines)
    for line, column, text in sorted(made, key=lambda item: (item.line, item.column), reverse=True):
        old = changed[line - 1]
        changed[line - 1] = old[:column] + text + old[column:]
    return "".join(changed)
