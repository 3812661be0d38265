"""The context of a source: an Action, a shared module or a file of a package, and what it may import."""

import ast
import json
import sys
from collections.abc import Iterator

from . import modules

NAMESPACE = "actions"
"""The package that shared modules are in."""


class Context:
    """The surroundings of one source.

    Args:
        text: JSON from the host: `kind` (`action`, `module`, `package`), `package` (what relative imports
            begin from), `packages` (full names of what its packages hold), `modules` (names of the shared
            modules); empty for an Action alone.
    """

    def __init__(self, text: str) -> None:
        given = json.loads(text) if text else {}
        self.kind: str = given.get("kind", "action")
        self.package: str = given.get("package", "")
        self.packages = frozenset(given.get("packages", ()))
        self.modules: list[str] = given.get("modules", [])
        self._tops = frozenset(name.partition(".")[0] for name in self.packages)

    def taken(self) -> str | None:
        """A package with the name of a module that is there already."""
        found = (name for name in sorted(self._tops) if name in modules.FACADES or name in sys.modules)
        return next(found, None)

    def brings(self, name: str) -> bool:
        """Whether `name` is, or is in, a package of the source's own."""
        return name.partition(".")[0] in self._tops

    def missing(self, name: str) -> str | None:
        """The reason why the module `name` cannot be imported, or None when it can."""
        top, _, rest = name.partition(".")
        if top == NAMESPACE:
            return self._missing_shared(rest)
        if not self.brings(name):
            problem = modules.missing_module(name)
            undeclared = problem is not None and self.kind == "package" and modules.remedy(name) is None
            return (
                f"The module '{name}' is not available, and in no package of the Action."
                if undeclared
                else problem
            )
        return None if name in self.packages else f"The package '{top}' has no module '{name}'."

    def missing_member(self, module: str, name: str) -> str | None:
        """The reason why `from module import name` cannot work, as far as that shows before it runs."""
        if module == NAMESPACE:
            return None if self.kind == "module" and name == "secrets" else self._missing_shared(name)
        if self.brings(module) or module.partition(".")[0] == NAMESPACE:
            return None
        return modules.missing_name(module, name)

    def _missing_shared(self, name: str) -> str | None:
        if self.kind == "package":
            return "A package cannot use the modules of an Action."
        if self.kind == "module":
            return "A module cannot use other modules." if name else None
        if name in self.modules or (not name and self.modules):
            return None
        if self.modules:
            return f"The Action has no module '{name}'; it has {', '.join(self.modules)}."
        named = f"module '{name}'" if name else "modules"
        return f"The Action has no {named}; add it, with its version, to the Action."

    def resolved(self, node: ast.ImportFrom) -> str | None:
        """The full name of the module in a `from` import; None when it is relative to nothing."""
        if not node.level:
            return node.module or ""
        try:
            return absolute(self.package, node.module or "", node.level)
        except ImportError:
            return None

    def imports(self, tree: ast.AST) -> list[str]:
        """Full names of what a source may import of its own packages, each once."""
        return sorted({name for name in self._imported(tree) if name in self.packages})

    def _imported(self, tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self.resolved(node)
                if base is not None:
                    yield base
                    yield from (f"{base}.{alias.name}" for alias in node.names)


def absolute(package: str, name: str, level: int) -> str:
    """The full name of a relative import. Raises ImportError beyond the package, or without one."""
    parts = package.split(".") if package else []
    if level > len(parts):
        raise ImportError("attempted relative import beyond top-level package")
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{name}" if name else base
