"""`build`: tenant source to marshalled code, under the policy."""

import ast
import base64
import json
import marshal

from .policy import Policy, bound_names


def build(source, filename, restricted):
    """JSON: `{"code", "exports"}`, or `{"failure": {...}}` with line, column (UTF-8 bytes) and message."""
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
    tree = compile(source, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    exports = _exports(tree)
    if restricted:
        policy = Policy(bound_names(tree))
        tree = policy.visit(tree)
        if policy.problems:
            return {"failure": _refused(policy.problems)}
    code = compile(tree, filename, "exec", dont_inherit=True, optimize=0)
    return {"code": base64.b64encode(marshal.dumps(code)).decode(), "exports": exports}


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
