"""Builds an Action together with its shared modules and the files of packages that it reaches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sandbox.core.caps import MAX_PYTHON_UNITS, MAX_PYTHON_UNITS_BYTES, MIB
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Dependencies, Language, PackageFile, Program, Source, python_name

_NAMESPACE: Final = "actions"
_LOADING: Final = "packages.py"
_MARK: Final = 2
"""Bytes of the mark before a unit's code: `r:` or `u:`."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One source: its program, and what it imports of the packages of its scope."""

    program: Program
    imports: tuple[str, ...] = ()


Compile = Callable[[Source, str], Compiled]
"""Compiles a source in a context (see guest/actionbox/context.py). Raises `BuildError`."""


def build_equipped(
    source: Source, compile_source: Compile, load: Callable[[Program], None] | None = None
) -> Program:
    """The program of a source with dependencies; units that nothing imports are left out.

    Args:
        load: gets a program that imports what the source may import, and does nothing else.

    Raises:
        BuildError: as the compiler does, with places in the file in question; `dependency` over a cap.
    """
    assert source.dependencies is not None
    return _ImageBuild(source.dependencies, compile_source).run(source, load)


class _ImageBuild:
    def __init__(self, dependencies: Dependencies, compile_source: Compile) -> None:
        self._modules = dependencies.modules
        self._files: dict[str, dict[str, PackageFile]] = {}
        for file in dependencies.files:
            self._files.setdefault(file.scope, {})[file.name] = file
        self._compile = compile_source
        self._units: list[tuple[str, str, bool, str]] = []
        self._programs: list[Program] = []
        self._bytes = 0

    def run(self, source: Source, load: Callable[[Program], None] | None) -> Program:
        names = [python_name(module.name) for module in self._modules]
        action = self._compile(source, self._context("", "action", modules=names))
        self._add_packages("", action.imports)
        for module, name in zip(self._modules, names, strict=True):
            text = Source(Language.PYTHON, f"{_NAMESPACE}:{module.name}", module.text)
            context = self._context(name, "module")
            compiled = self._add("", f"{_NAMESPACE}.{name}", text, context, module=module.name)
            self._add_packages(name, compiled.imports)
        if load is not None:
            load(self._loading(action.imports, names))
        return self._whole(action.program)

    def _whole(self, program: Program) -> Program:
        """`program` with the units."""
        header = json.dumps(self._units).encode()
        mark, code = program.code[:1], program.code[_MARK:]
        return replace(program, code=mark + b"+" + header + b"\n" + code, modules=tuple(self._programs))

    def _loading(self, imports: tuple[str, ...], modules: list[str]) -> Program:
        known = self._files.get("", {})
        lines = [f"import {name}" for name in imports if name in known]
        lines += [f"from {_NAMESPACE} import {name}" for name in modules]
        source = Source(Language.PYTHON, _LOADING, "\n".join(lines))
        return self._whole(self._compile(source, self._context("", "action", modules=modules)).program)

    def _context(self, scope: str, kind: str, *, package: str = "", modules: list[str] | None = None) -> str:
        packages = sorted(self._files.get(scope, ()))
        return json.dumps({"kind": kind, "package": package, "packages": packages, "modules": modules or []})

    def _add_packages(self, scope: str, imports: tuple[str, ...]) -> None:
        """Add what `imports` reach, directly or through each other."""
        known = self._files.get(scope, {})
        waiting, seen = list(imports), set[str]()
        while waiting:
            for name in _with_parents(waiting.pop()):
                file = known.get(name)
                if file is None or name in seen:
                    continue
                seen.add(name)
                package = name if file.is_package else name.rpartition(".")[0]
                context = self._context(scope, "package", package=package)
                text = Source(Language.PYTHON, file.filename, file.text)
                waiting += self._add(scope, name, text, context, is_package=file.is_package).imports

    def _add(
        self,
        scope: str,
        name: str,
        source: Source,
        context: str,
        *,
        is_package: bool = False,
        module: str = "",
    ) -> Compiled:
        compiled = self._compile(source, context)
        self._bytes += len(compiled.program.code)
        if len(self._units) >= MAX_PYTHON_UNITS or self._bytes > MAX_PYTHON_UNITS_BYTES:
            raise BuildError(
                Failure(
                    FailureCode.DEPENDENCY,
                    f"The packages and modules of the Action are more than {MAX_PYTHON_UNITS} files or "
                    f"{MAX_PYTHON_UNITS_BYTES // MIB} MiB of code.",
                    next_step="Use smaller packages.",
                    detail={"rule": "cap"},
                )
            )
        self._units.append((scope, name, is_package, module))
        self._programs.append(compiled.program)
        return compiled


def _with_parents(name: str) -> Iterator[str]:
    """`a.b.c` as `a`, `a.b`, `a.b.c`."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


class Units:
    """Hands the guest the units of a program.

    Attributes:
        last: file of the unit that was imported last, as failures show it; empty for none.
    """

    def __init__(self, program: Program) -> None:
        self._units = program.modules
        self.last = ""

    def code(self, number: int) -> str:
        """The code of unit `number`, which the guest imports; empty when there is none."""
        if not 0 <= number < len(self._units):
            return ""
        self.last = self._units[number].source.filename
        return self._units[number].code[_MARK:].decode("latin-1")
