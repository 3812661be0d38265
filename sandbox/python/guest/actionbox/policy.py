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

from RestrictedPython.transformer import INSPECT_ATTRIBUTES, RestrictingNodeTransformer, copy_locations

from . import modules
from .guards import FORMAT_GUARD

CLASS_NAMES = frozenset(
    [
        "__init__",
        "__post_init__",
        "__new__",
        "__call__",
        "__repr__",
        "__str__",
        "__bytes__",
        "__format__",
        "__bool__",
        "__hash__",
        "__len__",
        "__length_hint__",
        "__iter__",
        "__next__",
        "__reversed__",
        "__contains__",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__missing__",
        "__getattr__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__add__",
        "__radd__",
        "__iadd__",
        "__sub__",
        "__rsub__",
        "__isub__",
        "__mul__",
        "__rmul__",
        "__imul__",
        "__matmul__",
        "__truediv__",
        "__rtruediv__",
        "__floordiv__",
        "__rfloordiv__",
        "__mod__",
        "__rmod__",
        "__divmod__",
        "__pow__",
        "__rpow__",
        "__lshift__",
        "__rshift__",
        "__and__",
        "__rand__",
        "__iand__",
        "__or__",
        "__ror__",
        "__ior__",
        "__xor__",
        "__rxor__",
        "__neg__",
        "__pos__",
        "__abs__",
        "__invert__",
        "__int__",
        "__float__",
        "__complex__",
        "__index__",
        "__round__",
        "__trunc__",
        "__floor__",
        "__ceil__",
        "__enter__",
        "__exit__",
        "__aenter__",
        "__aexit__",
        "__await__",
        "__aiter__",
        "__anext__",
        "__get__",
        "__set__",
        "__set_name__",
        "__copy__",
        "__deepcopy__",
        "__class_getitem__",
        "__slots__",
        "__match_args__",
        "__doc__",
        "__init_subclass__",
    ]
)
"""Special names that a class may define."""

MODULE_NAMES = frozenset(("__all__", "__author__", "__version__", "__license__", "__doc__", "__name__"))
"""Special names that the top level may use."""

TEXT_ATTRIBUTES = frozenset(("__name__", "__qualname__", "__doc__"))
"""Special attributes that only ever hold text."""

TUPLE_ATTRIBUTES = frozenset(("_replace", "_asdict", "_fields", "_make", "_field_defaults"))
"""What named tuples call their public methods."""

NAME_REMEDIES = {
    "exec": "write the code as part of the Action",
    "eval": "write the expression as part of the Action; json.loads() reads data",
    "compile": "write the code as part of the Action; re.compile() makes patterns",
    "open": "Actions have no files; keep data in event, api or secrets",
    "input": "Actions have no terminal; everything they know is in event",
    "globals": "name the variable itself",
    "locals": "name the variable itself",
    "vars": "use dataclasses.asdict() or a dict",
    "breakpoint": "use print() or console.log()",
    "exit": "use return, or raise an exception to fail",
    "quit": "use return, or raise an exception to fail",
    "help": "see `actionbox types`",
    "__import__": "use an import statement",
    "__builtins__": "builtins are available by their names",
}

ATTRIBUTE_REMEDIES = {
    "__class__": "use type(value) or isinstance()",
    "__dict__": "use dataclasses.asdict(), or keep a dict",
    "__annotations__": "use dataclasses.fields()",
    "__import__": "use an import statement",
    "__module__": "an Action is a single module",
    "__cause__": "log the exception itself; failures show their causes",
    "__context__": "log the exception itself; failures show their causes",
    "__traceback__": "raise the exception; failures show their place",
}


class Policy(RestrictingNodeTransformer):
    """Collects what a source uses and may not in `problems`: (line, column, message), in source order."""

    def __init__(self, bound=frozenset()):
        super().__init__()
        self.problems = []
        self._bound = bound
        self._scopes = []
        self._receivers = []

    # --- reporting ---

    def error(self, node, info):
        line = getattr(node, "lineno", 1)
        self.problems.append((line, getattr(node, "col_offset", 0), info))

    def refuse(self, node, what, remedy=None):
        self.error(node, f"{what} is not available to Actions" + (f"; {remedy}" if remedy else ""))

    def not_allowed(self, node):
        self.refuse(node, f"the construct {type(node).__name__}")

    def inject_print_collector(self, node, position=0):
        """`print` is an ordinary function here."""

    # --- names ---

    def check_name(self, node, name, allow_magic_methods=False):
        if name is None or not name.startswith("__"):
            return
        in_class = bool(self._scopes) and self._scopes[-1] == "class"
        if name.endswith("__") and not (in_class and name in CLASS_NAMES) and name not in MODULE_NAMES:
            self.refuse(
                node,
                f"the name '{name}'",
                NAME_REMEDIES.get(
                    name, "names with two underscores at both ends are Python's own; choose another"
                ),
            )

    def visit_Name(self, node):  # noqa: N802
        refused = isinstance(node.ctx, ast.Load) and node.id in NAME_REMEDIES and node.id not in self._bound
        if refused:
            self.refuse(node, f"'{node.id}'", NAME_REMEDIES[node.id])
        else:
            self.check_name(node, node.id)
        return node

    def visit_arg(self, node):
        self.check_name(node, node.arg)
        return self.node_contents_visit(node)

    def check_function_argument_names(self, node):
        """Each argument is checked where it stands, by `visit_arg`."""

    def visit_keyword(self, node):
        if node.arg is not None and node.arg.startswith("__"):
            self.refuse(node, f"the keyword '{node.arg}'")
        return self.node_contents_visit(node)

    def visit_Global(self, node):  # noqa: N802
        for name in node.names:
            self.check_name(node, name)
        return node

    visit_Nonlocal = visit_Global  # noqa: N815

    # --- attributes and items ---

    def visit_Attribute(self, node):  # noqa: N802
        self.check_attribute(node, node.attr)
        self.node_contents_visit(node)
        if node.attr not in ("format", "format_map") or not isinstance(node.ctx, ast.Load):
            return node
        guarded = ast.Call(ast.Name(FORMAT_GUARD, ast.Load()), [node.value, ast.Constant(node.attr)], [])
        copy_locations(guarded, node)
        return guarded

    def check_attribute(self, node, name):
        if name in INSPECT_ATTRIBUTES:
            self.refuse(node, f"the attribute '{name}'", "frames and code are Python's own")
        elif name.startswith("_") and not self._may_read(node, name):
            remedy = ATTRIBUTE_REMEDIES.get(name) or (
                "it is Python's own" if name.startswith("__") else "use a name without a leading underscore"
            )
            self.refuse(node, f"the attribute '{name}'", remedy)

    def _may_read(self, node, name):
        if name in TUPLE_ATTRIBUTES or (name in TEXT_ATTRIBUTES and isinstance(node.ctx, ast.Load)):
            return True
        base = getattr(node, "value", None)
        if name.startswith("__") and name.endswith("__"):
            return name in CLASS_NAMES and _is_super(base) and isinstance(node.ctx, ast.Load)
        own = isinstance(base, ast.Name) and bool(self._receivers) and base.id == self._receivers[-1]
        return own or _is_super(base)

    def visit_Subscript(self, node):  # noqa: N802
        return self.node_contents_visit(node)

    def visit_Call(self, node):  # noqa: N802
        return self.node_contents_visit(node)

    # --- assignments ---

    def visit_Assign(self, node):  # noqa: N802
        return self.node_contents_visit(node)

    visit_AugAssign = visit_AnnAssign = visit_NamedExpr = visit_TypeAlias = visit_Assign  # noqa: N815
    visit_TypeVar = visit_ParamSpec = visit_TypeVarTuple = visit_Assign  # noqa: N815

    # --- loops, unpacking, comprehensions ---

    def guard_iter(self, node):
        return self.node_contents_visit(node)

    visit_AsyncFor = visit_With = visit_AsyncWith = visit_Await = visit_TryStar = visit_Assign  # noqa: N815
    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_Assign  # noqa: N815

    # --- match ---

    visit_Match = visit_match_case = visit_MatchValue = visit_MatchSingleton = visit_Assign  # noqa: N815
    visit_MatchSequence = visit_MatchOr = visit_Assign  # noqa: N815

    def visit_MatchStar(self, node):  # noqa: N802
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    visit_MatchAs = visit_MatchStar  # noqa: N815

    def visit_MatchMapping(self, node):  # noqa: N802
        self.check_name(node, node.rest)
        return self.node_contents_visit(node)

    def visit_MatchClass(self, node):  # noqa: N802
        for name in node.kwd_attrs:
            if name.startswith("_") or name in INSPECT_ATTRIBUTES:
                self.refuse(node, f"the attribute '{name}'")
        return self.node_contents_visit(node)

    # --- functions and classes ---

    def visit_FunctionDef(self, node):  # noqa: N802
        self.check_name(node, node.name)
        in_class = bool(self._scopes) and self._scopes[-1] == "class"
        first = [*node.args.posonlyargs, *node.args.args][:1]
        outer = self._receivers[-1] if self._receivers else None
        self._scopes.append("function")
        self._receivers.append(first[0].arg if in_class and first else outer)
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()
            self._receivers.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node):  # noqa: N802
        return self.node_contents_visit(node)

    def visit_ClassDef(self, node):  # noqa: N802
        self.check_name(node, node.name)
        for keyword in node.keywords:
            if keyword.arg == "metaclass":
                self.refuse(keyword, "the keyword 'metaclass'", "inherit from abc.ABC or enum.Enum instead")
        self._scopes.append("class")
        try:
            return self.node_contents_visit(node)
        finally:
            self._scopes.pop()

    def visit_Module(self, node):  # noqa: N802
        return self.node_contents_visit(node)

    # --- imports ---

    def visit_Import(self, node):  # noqa: N802
        for alias in node.names:
            self._check_import(alias, alias.name)
            self.check_name(alias, alias.asname)
        return node

    def visit_ImportFrom(self, node):  # noqa: N802
        if node.level:
            self.refuse(node, "a relative import", "an Action is a single module")
            return node
        if not self._check_import(node, node.module):
            return node
        for alias in node.names:
            self.check_name(alias, alias.asname)
            if alias.name == "*":
                self.refuse(alias, "'import *'", "name what you import")
            else:
                problem = modules.missing_name(node.module, alias.name)
                if problem:
                    self.error(alias, problem)
        return node

    def _check_import(self, node, name):
        problem = modules.missing_module(name)
        if problem:
            self.error(node, problem)
        return problem is None


def _is_super(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def bound_names(tree):
    """Every name that a source binds anywhere: such a name is the tenant's own, not Python's."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif (isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name) or (
            isinstance(node, ast.ExceptHandler) and node.name
        ):
            names.add(node.name)
    return names
