"""`build`: tenant source to marshalled code, under the policy."""

import ast
import base64
import json
import marshal
import sys
from typing import Any

from .bindings import bound_names, private_names
from .context import Context
from .policy import Policy

MAX_CODE_BYTES = 4 * 1024 * 1024
RECURSION_LIMIT = 2_000
"""Frames while compiling: the policy takes four per level of the syntax tree."""


def build(source: str, filename: str, restricted: bool, context: str = "") -> str:
    """JSON: `{"code", "exports", "imports"}`, or `{"failure": {...}}` with line, column and message.

    `context`: see `context.Context`; `imports` are the names that the source imports of its packages.
    """
    sys.setrecursionlimit(RECURSION_LIMIT)
    try:
        return json.dumps(_build(source, filename, restricted, Context(context)))
    except SyntaxError as error:
        return _failure("syntax", str(error.msg), line=error.lineno, offset=error.offset)
    except RecursionError:
        return _failure("syntax", "The source is nested too deeply to compile.")
    except MemoryError:
        return _failure("memory", "")
    except ValueError as error:
        return _failure("syntax", str(error))


def _failure(code: str, message: str, **more: Any) -> str:
    return json.dumps({"failure": {"code": code, "message": message, **more}})


def _build(source: str, filename: str, restricted: bool, context: Context) -> dict[str, Any]:
    taken = context.taken()
    if taken is not None:
        text = f"The package '{taken}' cannot be used: there is a module of that name already."
        return {"failure": {"code": "dependency", "message": text}}
    tree = _parse(source, filename)
    exports, imports = _exports(tree), context.imports(tree)
    if restricted:
        policy = Policy(bound_names(tree), private_names(tree), context)
        tree = policy.visit(tree)
        if policy.problems:
            return {"failure": _refused(policy.problems)}
    content = marshal.dumps(compile(tree, filename, "exec", dont_inherit=True, optimize=0))
    if len(content) > MAX_CODE_BYTES:
        text = f"The source compiles to {len(content)} bytes of code; an Action may have {MAX_CODE_BYTES}."
        return {"failure": {"code": "output", "message": text}}
    return {"code": base64.b64encode(content).decode(), "exports": exports, "imports": imports}


def _parse(source: str, filename: str) -> ast.Module:
    """The syntax tree. CPython's parser says MemoryError when its own stack is used up."""
    try:
        tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except MemoryError:
        raise RecursionError from None
    assert isinstance(tree, ast.Module)
    return tree


def _exports(tree: ast.Module) -> list[str]:
    """Names of the public functions that the top level defines, in order."""
    names = {
        node.name: True for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    return [name for name in names if not name.startswith("_")]


def _refused(problems: list[tuple[int, int, str]]) -> dict[str, Any]:
    problems.sort()
    line, column, message = problems[0]
    return {"code": "policy", "message": message, "line": line, "column": column, "count": len(problems)}
