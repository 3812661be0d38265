"""The policy: which Python an Action may be written in.

RestrictedPython's transformer refuses every construct that it does not know; this subclass says what it
does about each construct that tenants expect. It checks names and attributes where they stand in the
source and leaves the code as it is. Run-time guards are needed only for what the source does not show:
`getattr` with a computed name and `str.format` (see `guards.py`). So there are no guard names
that a parameter or a comprehension could shadow, the class of fault behind RestrictedPython's bypasses of
2026, and tracebacks keep their columns.

It is depth, not the boundary (threat-model B1): the escape suite holds with it switched off.
"""

import ast
from collections.abc import Set
from typing import Any, TypeGuard

from RestrictedPython.transformer import RestrictingNodeTransformer, copy_locations

from .context import NAMESPACE, Context
from .guards import CLASS_GUARD, FORMAT_GUARD, FORMATS, TEXT_ATTRIBUTES, TUPLE_ATTRIBUTES
from .names_of_classes import CLASS_NAMES, HIDDEN, MODULE_NAMES, READABLE

MATCH_ARGS = "__match_args__"
_OWN = "names with two underscores at both ends are Python's own"

NAME_REMEDIES = {
    "exec": "write the code as part of the Action",
    "eval": "write the expression as part of the Action; json.loads() reads data",
    "compile": "write the code as part of the Action; re.compile() makes patterns",
    "open": "Actions have no files; what they know is in event and its secrets",
    "input": "Actions have no terminal; what they know is in event",
    "globals": "name the variable itself",
    "locals": "name the variable itself",
    "vars": "use dataclasses.asdict(), or keep a dict",
    "breakpoint": "use print() or console.log()",
    "exit": "use return, or raise an exception to fail",
    "quit": "use return, or raise an exception to fail",
    "help": "`actionbox types` prints what there is",
    "__import__": "use an import statement",
    "__builtins__": "builtins are available by their names",
    "__match_args__": "write it in the class as a tuple of names",
}
"""Names that Actions may not read, unless they bind them themselves."""

ATTRIBUTE_REMEDIES = {
    "__dict__": "use dataclasses.asdict(), or keep a dict",
    "__annotations__": "use dataclasses.fields()",
    "__cause__": "use `raise ... from error`",
    "__context__": "use `raise ... from error`",
    "__traceback__": "raise the exception; failures show their place",
}


class Policy(RestrictingNodeTransformer):
    """Checks one source.

    Args:
        bound: names that the source binds anywhere; such a name is the tenant's own, not Python's.
        private: names of private attributes that classes of the source declare, see `private_names`.
        context: what it may import.

    Attributes:
        problems: what the source uses and may not: (line from 1, column in UTF-8 bytes from 0, message).
    """

    def __init__(self, bound: Set[str], private: Set[str], context: Context) -> None:
        super().__init__()
        self.problems: list[tuple[int, int, str]] = []
        self._bound = bound
        self._private = private
        self._scopes: list[str] = []
        self._receivers: list[str | None] = [None]
        self._context = context
        self._optional = 0
        self._unbound: ast.Attribute | None = None
        self._written: set[ast.Name] = set()

    # --- reporting ---

    def error(self, node: Any, info: str) -> None:
        self.problems.append((getattr(node, "lineno", 1), getattr(node, "col_offset", 0), info))

    def refuse(self, node: Any, what: str, remedy: str | None = None) -> None:
        self.error(
            node, f"{what} is not available to Actions; {remedy}." if remedy else f"{what} is not available."
        )

    def not_allowed(self, node: Any) -> None:
        self.refuse(node, f"The construct {type(node).__name__}", "see docs/compatibility.md")

    def warn(self, node: Any, info: str) -> None:
        """RestrictedPython's hints are about its own guards."""

    def inject_print_collector(self, node: Any, position: int = 0) -> None:
        """`print` is an ordinary function here."""

    # --- names ---

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:  # noqa: ARG002
        if name is None or not (name.startswith("__") and name.endswith("__")) or name in MODULE_NAMES:
            return
        if self._context.kind == "package" and not self._scopes and name in ("__getattr__", "__dir__"):
            return
        if not (self._in_class() and name in CLASS_NAMES and name != MATCH_ARGS):
            self.refuse(node, f"The name '{name}'", NAME_REMEDIES.get(name, _OWN))

    def _in_class(self) -> bool:
        return bool(self._scopes) and self._scopes[-1] == "class"

    def visit_Name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Load) and node.id in NAME_REMEDIES and node.id not in self._bound:
            self.refuse(node, f"'{node.id}'", NAME_REMEDIES[node.id])
        elif node in self._written:
            return node
        else:
            self.check_name(node, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> Any:
        self.check_name(node, node.arg)
        return self.node_contents_visit(node)

    def check_function_argument_names(self, node: Any) -> None:
        """Each argument is checked where it stands, by `visit_arg`."""

    def visit_keyword(self, node: ast.keyword) -> Any:
        if node.arg is not None and node.arg.startswith("__"):
            self.refuse(node, f"The keyword '{node.arg}'", _OWN)
        return self.node_contents_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> Any:
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> Any:
        return self.visit_Global(node)

    # --- attributes ---

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self._check_attribute(node, node.attr)
        self.node_contents_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        if node.attr in FORMATS:
            return _guarded(node, FORMAT_GUARD, [node.value, ast.Constant(node.attr)])
        return _guarded(node, CLASS_GUARD, [node.value]) if node.attr == "__class__" else node

    def visit_Call(self, node: ast.Call) -> Any:
        """`Base.__init__(self, ...)` is what `super().__init__(...)` is."""
        called = node.func
        first = node.args[0] if node.args else None
        receiver = self._receivers[-1]
        if isinstance(called, ast.Attribute) and isinstance(first, ast.Name) and first.id == receiver:
            self._unbound = called
        return self.node_contents_visit(node)

    def _check_attribute(self, node: Any, name: str) -> None:
        if name in HIDDEN:
            self.refuse(node, f"The attribute '{name}'", "frames and code objects are Python's own")
        elif name.startswith("_") and not self._may_use(node, name):
            special = name.startswith("__") and name.endswith("__")
            remedy = ATTRIBUTE_REMEDIES.get(name) or (
                _OWN if special else "use a name without the underscore"
            )
            self.refuse(node, f"The attribute '{name}'", remedy)

    def _may_use(self, node: Any, name: str) -> bool:
        """Private attributes belong to the object itself (`self._cache`, `super().__init__()`), or to
        the Action when a class of it declares them (`return self._id == other._id`)."""
        if name in self._private:
            return True
        reading = isinstance(getattr(node, "ctx", None), ast.Load)
        if name in TUPLE_ATTRIBUTES or name in TEXT_ATTRIBUTES or name in READABLE or name == "__class__":
            return reading
        base = getattr(node, "value", None)
        receiver = self._receivers[-1]
        own = _is_super(base) or (isinstance(base, ast.Name) and receiver is not None and base.id == receiver)
        own = own or (node is self._unbound and name not in ("__get__", "__set__"))
        if name.startswith("__") and name.endswith("__"):
            return own and reading and name in CLASS_NAMES
        return own

    # --- what is left as it stands: its parts are visited ---

    def _as_it_is(self, node: Any) -> Any:
        return self.node_contents_visit(node)

    guard_iter = _as_it_is
    visit_Subscript = visit_Assign = visit_AugAssign = visit_AnnAssign = _as_it_is
    visit_NamedExpr = visit_Lambda = visit_Module = visit_With = _as_it_is
    visit_AsyncFor = visit_AsyncWith = visit_Await = visit_TryStar = _as_it_is
    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _as_it_is
    visit_Match = visit_match_case = visit_MatchSingleton = _as_it_is
    visit_MatchSequence = visit_MatchOr = _as_it_is

    # --- match, type parameters: nodes that bind a name of their own ---

    def _named(self, node: Any) -> Any:
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    visit_MatchStar = visit_MatchAs = visit_TypeVar = visit_ParamSpec = visit_TypeVarTuple = _named
    visit_TypeAlias = _as_it_is

    def visit_MatchMapping(self, node: ast.MatchMapping) -> Any:
        self.check_name(node, node.rest)
        for key in node.keys:
            self._check_value(key)
        self._visit_all(node.patterns)
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> Any:
        self._check_value(node.value)
        return node

    def _check_value(self, value: ast.expr) -> None:
        for node in ast.walk(value):
            if isinstance(node, ast.Attribute):
                self._check_pattern(node, node.attr)
            elif isinstance(node, ast.Name):
                self.visit_Name(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> Any:
        for name in node.kwd_attrs:
            self._check_pattern(node, name)
        return self.node_contents_visit(node)

    def _check_pattern(self, node: Any, name: str) -> None:
        """A pattern reads attributes where no guard can stand."""
        if name in FORMATS or name == "__class__":
            self.refuse(node, f"The attribute '{name}' in a pattern", "read it in the body of the case")
        else:
            self._check_attribute(node, name)

    # --- functions and classes ---

    def visit_FunctionDef(self, node: Any) -> Any:
        self.check_name(node, node.name)
        first = [*node.args.posonlyargs, *node.args.args][:1]
        receiver = first[0].arg if first and self._in_class() else self._receivers[-1]
        self._scopes.append("function")
        self._receivers.append(receiver)
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()
            self._receivers.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                self.refuse(keyword, "The keyword 'metaclass'", "inherit from abc.ABC or enum.Enum instead")
        for statement in node.body:
            self._check_match_args(statement)
        self._scopes.append("class")
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()

    def _check_match_args(self, statement: ast.stmt) -> None:
        """Check `__match_args__`: positional patterns read the attributes that it names as text."""
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Tuple):
            return
        names = [item.value if isinstance(item, ast.Constant) else None for item in statement.value.elts]
        for target in statement.targets:
            if isinstance(target, ast.Name) and target.id == MATCH_ARGS and _are_texts(names):
                self._written.add(target)
                for name in names:
                    self._check_pattern(statement, name)

    # --- imports ---

    def visit_Try(self, node: ast.Try) -> Any:
        """Imports under `except ImportError` may be missing: they fail when they run."""
        self._visit_optional(node.body, any(_is_import_error(handler.type) for handler in node.handlers))
        for part in (node.handlers, node.orelse, node.finalbody):
            self._visit_all(part)
        return node

    def visit_If(self, node: ast.If) -> Any:
        """Imports for type checkers only are never run."""
        optional = _is_type_checking(node.test)
        node.test = self.visit(node.test)
        self._visit_optional(node.body, optional)
        self._visit_all(node.orelse)
        return node

    def _visit_optional(self, body: list[ast.stmt], optional: bool) -> None:
        self._optional += optional
        try:
            self._visit_all(body)
        finally:
            self._optional -= optional

    def _visit_all(self, parts: list[Any]) -> None:
        """Visit each, and put what became of it in its place."""
        parts[:] = [self.visit(part) for part in parts]

    def visit_Import(self, node: ast.Import) -> Any:
        for alias in node.names:
            self._check_module(alias, alias.name)
            self.check_name(alias, alias.asname)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        module = self._context.resolved(node)
        if module is None:
            self.refuse(node, "A relative import", "an Action is a single module")
        elif module == NAMESPACE or self._check_module(node, module):
            for alias in node.names:
                self._check_member(module, alias)
        return node

    def _check_module(self, node: Any, name: str) -> bool:
        problem = self._context.missing(name)
        if problem and not self._optional:
            self.error(node, problem)
        return problem is None

    def _check_member(self, module: str, alias: ast.alias) -> None:
        self.check_name(alias, alias.asname)
        if alias.name == "*" and self._context.brings(module):
            return
        if alias.name == "*":
            self.refuse(alias, "'import *'", "name what you import")
            return
        problem = self._context.missing_member(module, alias.name)
        if problem and not self._optional:
            self.error(alias, problem)


def _is_import_error(caught: ast.expr | None) -> bool:
    """Whether an `except` clause catches a failed import."""
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    wide = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
    return any(isinstance(name, ast.Name) and name.id in wide for name in names)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _guarded(node: ast.Attribute, guard: str, arguments: list[ast.expr]) -> ast.Call:
    """A read that a guard answers, in the place of the read."""
    call = ast.Call(ast.Name(guard, ast.Load()), arguments, [])
    copy_locations(call, node)
    return call


def _are_texts(values: list[Any]) -> TypeGuard[list[str]]:
    return all(type(value) is str for value in values)


def _is_super(node: Any) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
