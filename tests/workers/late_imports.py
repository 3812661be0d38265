"""Prints as JSON what functions of the modules in a worker import that is not in memory, with the places."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

from runner.workers.child import warmup
from runner.workers.child.builder import ImageBuilder  # noqa: F401 - a worker has them
from runner.workers.child.worker_server import WorkerServer  # noqa: F401
from sandbox.core.program import Language


class LateImports(ast.NodeVisitor):
    """Collects the names that are imported inside functions of one module."""

    def __init__(self, module: ModuleType, loaded: dict[str, ModuleType]) -> None:
        self.found: list[tuple[str, int]] = []
        self._package = module.__spec__.parent if module.__spec__ else ""
        self._loaded = loaded
        self._depth = 0

    def visit_FunctionDef(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        name = "." * node.level + (node.module or "")
        base = importlib.util.resolve_name(name, self._package) if node.level else name
        self._imported(base, node.lineno)
        there = self._loaded.get(base)
        for alias in node.names:
            if there is not None and not hasattr(there, alias.name):
                self._imported(f"{base}.{alias.name}", node.lineno)

    def _imported(self, name: str, line: int) -> None:
        if self._depth and name not in self._loaded:
            self.found.append((name, line))


def main() -> None:
    warmup.images(Language)
    warmup.everything(Language)
    loaded = dict(sys.modules)
    late: dict[str, list[str]] = {}
    for name, module in sorted(loaded.items()):
        file = getattr(module, "__file__", None) or ""
        if file.endswith(".py") and name != "__main__":
            visitor = LateImports(module, loaded)
            visitor.visit(ast.parse(Path(file).read_bytes()))
            for imported, line in visitor.found:
                late.setdefault(imported, []).append(f"{name}:{line}")
    json.dump(late, sys.stdout)


if __name__ == "__main__":
    main()
