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
from typing import Any

from RestrictedPython.transformer import INSPECT_ATTRIBUTES, RestrictingNodeTransformer, copy_locations

from .context import NAMESPACE, Context
from .guards import FORMAT_GUARD, TEXT_ATTRIBUTES, TUPLE_ATTRIBUTES

CLASS_NAMES = frozenset(
    """__init__ __post_init__ __new__ __call__ __repr__ __str__ __bytes__ __format__ __bool__ __hash__
    __len__ __length_hint__ __iter__ __next__ __reversed__ __contains__ __getitem__ __setitem__
    __delitem__ __missing__ __getattr__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __add__ __radd__
    __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__ __imul__ __matmul__ __truediv__ __rtruediv__
    __floordiv__ __rfloordiv__ __mod__ __rmod__ __divmod__ __pow__ __rpow__ __lshift__ __rshift__ __and__
    __rand__ __iand__ __or__ __ror__ __ior__ __xor__ __rxor__ __neg__ __pos__ __abs__ __invert__ __int__
    __float__ __complex__ __index__ __round__ __trunc__ __floor__ __ceil__ __enter__ __exit__ __aenter__
    __aexit__ __await__ __aiter__ __anext__ __get__ __set__ __set_name__ __copy__ __deepcopy__
    __class_getitem__ __init_subclass__ __slots__ __match_args__ __doc__""".split()
)
"""Special names that a class may define, and call on the object itself and on super()."""

MODULE_NAMES = frozenset(
    """__all__ __author__ __copyright__ __credits__ __date__ __description__ __doc__ __email__ __license__
    __maintainer__ __name__ __status__ __summary__ __title__ __uri__ __url__ __version__""".split()
)
"""Special names that may stand anywhere."""

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
}
"""Names that Actions may not read, unless they bind them themselves."""

ATTRIBUTE_REMEDIES = {
    "__class__": "use type(value) or isinstance()",
    "__dict__": "use dataclasses.asdict(), or keep a dict",
    "__annotations__": "use dataclasses.fields()",
    "__cause__": "log the exception itself; failures show their causes",
    "__context__": "log the exception itself; failures show their causes",
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
        if not (self._in_class() and name in CLASS_NAMES):
            self.refuse(node, f"The name '{name}'", NAME_REMEDIES.get(name, _OWN))

    def _in_class(self) -> bool:
        return bool(self._scopes) and self._scopes[-1] == "class"

    def visit_Name(self, node: ast.Name) -> Any:
        if isinstance(node.ctx, ast.Load) and node.id in NAME_REMEDIES and node.id not in self._bound:
            self.refuse(node, f"'{node.id}'", NAME_REMEDIES[node.id])
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

    def visit_Global(self, node: ast.Global) -> Any:
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> Any:
        return self.visit_Global(node)

    # --- attributes ---

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self._check_attribute(node, node.attr)
        self.node_contents_visit(node)
        if node.attr not in ("format", "format_map") or not isinstance(node.ctx, ast.Load):
            return node
        guarded = ast.Call(ast.Name(FORMAT_GUARD, ast.Load()), [node.value, ast.Constant(node.attr)], [])
        copy_locations(guarded, node)
        return guarded

    def _check_attribute(self, node: Any, name: str) -> None:
        if name in INSPECT_ATTRIBUTES:
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
        if name in TUPLE_ATTRIBUTES or name in TEXT_ATTRIBUTES:
            return reading
        base = getattr(node, "value", None)
        receiver = self._receivers[-1]
        own = _is_super(base) or (isinstance(base, ast.Name) and receiver is not None and base.id == receiver)
        if name.startswith("__") and name.endswith("__"):
            return own and reading and name in CLASS_NAMES
        return own

    # --- what is left as it stands: its parts are visited ---

    def _as_it_is(self, node: Any) -> Any:
        return self.node_contents_visit(node)

    guard_iter = _as_it_is
    visit_Subscript = visit_Call = visit_Assign = visit_AugAssign = visit_AnnAssign = _as_it_is
    visit_NamedExpr = visit_Lambda = visit_Module = visit_With = _as_it_is
    visit_AsyncFor = visit_AsyncWith = visit_Await = visit_TryStar = _as_it_is
    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _as_it_is
    visit_Match = visit_match_case = visit_MatchValue = visit_MatchSingleton = _as_it_is
    visit_MatchSequence = visit_MatchOr = _as_it_is

    # --- match, type parameters: nodes that bind a name of their own ---

    def _named(self, node: Any) -> Any:
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    visit_MatchStar = visit_MatchAs = visit_TypeVar = visit_ParamSpec = visit_TypeVarTuple = _named
    visit_TypeAlias = _as_it_is

    def visit_MatchMapping(self, node: ast.MatchMapping) -> Any:
        self.check_name(node, node.rest)
        return self.node_contents_visit(node)

    def visit_MatchClass(self, node: ast.MatchClass) -> Any:
        for name in node.kwd_attrs:
            self._check_attribute(node, name)
        return self.node_contents_visit(node)

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
        self._scopes.append("class")
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()

    # --- imports ---

    def visit_Try(self, node: ast.Try) -> Any:
        """What is imported under `except ImportError` may be missing: it fails when it runs."""
        self._visit_optional(node.body, any(_is_import_error(handler.type) for handler in node.handlers))
        for part in (node.handlers, node.orelse, node.finalbody):
            self._visit_all(part)
        return node

    def visit_If(self, node: ast.If) -> Any:
        """What is imported for type checkers only is never run."""
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


def _is_super(node: Any) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


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
