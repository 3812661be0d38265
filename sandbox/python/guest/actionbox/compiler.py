"""`build`: tenant source to marshalled code, under the policy."""

import ast
import base64
import json
import marshal
import sys

from .policy import Policy, bound_names

MAX_CODE_BYTES = 4 * 1024 * 1024
RECURSION_LIMIT = 2_000
"""Frames while compiling: the policy takes four per level of the syntax tree."""


def build(source, filename, restricted):
    """JSON: `{"code", "exports"}`, or `{"failure": {...}}` with line, column (UTF-8 bytes) and message."""
    sys.setrecursionlimit(RECURSION_LIMIT)
    try:
        return json.dumps(_build(source, filename, restricted))
    except SyntaxError as error:
        return json.dumps({"failure": _syntax(error)})
    except RecursionError:
        return json.dumps(
            {"failure": {"code": "syntax", "message": "the source is nested too deeply to compile"}}
        )
    except MemoryError:
        return json.dumps(
            {"failure": {"code": "memory", "message": "the source needs more memory to compile than allowed"}}
        )
    except ValueError as error:
        return json.dumps({"failure": {"code": "syntax", "message": str(error)}})


def _build(source, filename, restricted):
    tree = _parse(source, filename)
    exports = _exports(tree)
    if restricted:
        policy = Policy(bound_names(tree))
        tree = policy.visit(tree)
        if policy.problems:
            return {"failure": _refused(policy.problems)}
    code = compile(tree, filename, "exec", dont_inherit=True, optimize=0)
    content = marshal.dumps(code)
    if len(content) > MAX_CODE_BYTES:
        text = f"the source compiles to {len(content)} bytes of code; an Action may have {MAX_CODE_BYTES}"
        return {"failure": {"code": "output", "message": text}}
    return {"code": base64.b64encode(content).decode(), "exports": exports}


def _parse(source, filename):
    """The syntax tree. CPython's parser says MemoryError when its own stack is used up."""
    try:
        return compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except MemoryError:
        raise RecursionError from None


def _exports(tree):
    """Names of functions that the top level defines or assigns, in order."""
    names = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names[node.name] = True
    return [name for name in names if not name.startswith("_")]


def _refused(problems):
    problems.sort()
    line, column, message = problems[0]
    return {
        "code": "policy",
        "message": message,
        "line": line,
        "column": column,
        "all": [list(problem) for problem in problems[:20]],
        "count": len(problems),
    }


def _syntax(error):
    return {
        "code": "syntax",
        "name": type(error).__name__,
        "message": str(error.msg),
        "line": error.lineno,
        "offset": error.offset,
    }
