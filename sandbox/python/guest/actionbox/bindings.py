"""The names that a source binds, and the private attributes of its classes."""

import ast


def bound_names(tree: ast.AST) -> set[str]:
    """Every name that a source binds, in whatever scope."""
    names: set[str] = set()
    for node in ast.walk(tree):
        name = _bound_by(node)
        if name:
            names.add(name)
    return names


def private_names(tree: ast.AST) -> set[str]:
    """Private attributes that the classes of a source declare: what they define in their bodies under a
    name with an underscore, and what their methods set on the object itself."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                names.update(_declared_by(statement))
    return {name for name in names if name[:1] == "_" and not name.endswith("__")}


def _declared_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = [*statement.args.posonlyargs, *statement.args.args][:1]
        return [statement.name, *(_set_on(first[0].arg, statement) if first else ())]
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return [
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
    return []


def _set_on(receiver: str, function: ast.AST) -> list[str]:
    return [
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == receiver
    ]


def _bound_by(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.alias):
        return (node.asname or node.name).partition(".")[0]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)):
        return node.name
    return node.name if isinstance(node, (ast.MatchAs, ast.MatchStar)) else None
