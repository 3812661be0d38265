"""The JavaScript sandbox: QuickJS-NG in WebAssembly, a fresh instance for every execution (design 5)."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from sandbox.core.caps import MIB, Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Dependencies, Language, Program, Request, SharedModule, Source
from sandbox.engine import EngineIdentity, EngineReport
from sandbox.javascript import compiler
from sandbox.javascript.building.transpile import is_needed
from sandbox.javascript.checkpoints import Checkpoints, Prepared, describe
from sandbox.javascript.dependency_image import Packages
from sandbox.javascript.image import Image, identity, open_equipped, open_image
from sandbox.javascript.packages.files import PackageFiles
from sandbox.javascript.run import ProgramInstance
from sandbox.port.interface import HostPort
from sandbox.wasm.threads import with_room

_log: Final = logging.getLogger(__name__)
_MAX_EQUIPPED: Final = 64
"""Images of Action versions that are kept open, 7 MB each; opening one again takes some 10 ms."""
_EQUIPPED_BYTES: Final = 8 * MIB
"""Programs kept for one of them, which seldom has more than one."""


class _Opened(NamedTuple):
    image: Image
    checkpoints: Checkpoints


class JavaScriptEngine:
    """Implements `sandbox.engine.Engine`. Safe to call from several threads.

    Args:
        progress: told what is going on while the guest image is built (once per machine).

    Raises:
        ImageError, ToolchainError: the guest image cannot be built.
    """

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        self._progress = progress or _silent
        self.image: Image = open_image(self._progress)
        self._plain = _Opened(self.image, Checkpoints(self.image))
        self._equipped: OrderedDict[str, _Opened] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def language(self) -> Language:
        return Language.JAVASCRIPT

    @property
    def identity(self) -> EngineIdentity:
        return identity()

    @with_room
    def build(self, source: Source, limits: Limits, *, load: bool = False) -> Program:  # noqa: ARG002
        """See `sandbox.engine.Engine.build`. Runs no tenant code; images have their packages loaded."""
        program = compiler.build(self.image, source, limits)
        if source.dependencies is None:
            return program
        modules = self._modules(source.dependencies, limits)
        opened = self._equip(source.dependencies, modules)
        for note in opened.image.notes:
            self._progress(note)
        return replace(program, image=opened.image.digest, modules=modules, notes=opened.image.notes)

    @with_room
    def exports(
        self, program: Program, limits: Limits, port: HostPort, wanted: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """See `sandbox.engine.Engine.exports`."""
        port.begin(time.monotonic() + limits.wall_ms / 1000)
        try:
            opened = self._opened(program)
            image = self.image if opened is None else opened.image
            run = ProgramInstance(image, Prepared(program, describe(program, None)), limits, port)
            failure = run.load(wanted)
        finally:
            port.end()
        if port.fatal or failure:
            raise BuildError(port.fatal or failure)  # type: ignore[arg-type] # one of them is there
        return run.exported_names

    @with_room
    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        """See `sandbox.engine.Engine.run`."""
        opened = self._opened(program)
        if opened is None:
            return EngineReport(_foreign_program(), 0)
        run = ProgramInstance(
            opened.image, opened.checkpoints.prepare(program, request.surface), limits, port
        )
        return EngineReport(run.execute(request), run.peak_memory_bytes)

    def _opened(self, program: Program) -> _Opened | None:
        """The build that `program` is of; None when this engine would build another image."""
        dependencies = program.source.dependencies
        opened = self._plain if dependencies is None else self._equip(dependencies, program.modules)
        return opened if opened.image.digest == program.image else None

    def _modules(self, dependencies: Dependencies, limits: Limits) -> tuple[Program, ...]:
        """Compile the shared modules. Raises `BuildError`, with places in the module."""
        sources = [
            Source(Language.JAVASCRIPT, module_filename(item), item.text) for item in dependencies.modules
        ]
        return tuple(compiler.build(self.image, source, limits, compiler.SHARED_MODULE) for source in sources)

    def _equip(self, dependencies: Dependencies, modules: tuple[Program, ...]) -> _Opened:
        with self._lock:
            found = self._equipped.get(dependencies.digest)
            if found is not None:
                self._equipped.move_to_end(dependencies.digest)
                return found
        image = open_equipped(
            self.image, dependencies.digest, lambda: _equipment(dependencies, modules), self._progress
        )
        made = _Opened(image, Checkpoints(image, _EQUIPPED_BYTES))
        with self._lock:
            made = self._equipped.setdefault(dependencies.digest, made)  # another thread may have been first
            while len(self._equipped) > _MAX_EQUIPPED:
                self._equipped.popitem(last=False)
        return made


def _equipment(dependencies: Dependencies, modules: tuple[Program, ...]) -> Packages:
    named = zip(dependencies.modules, modules, strict=True)
    return Packages(
        PackageFiles(base64.b64decode(dependencies.archive)),
        dependencies.entries,
        [(item.name, made.code) for item, made in named],
        dependencies.bundle,
    )


def module_filename(module: SharedModule) -> str:
    """The module's name in failures: as it is required, with an extension where that matters."""
    return f"actions:{module.name}" + (
        PurePosixPath(module.filename).suffix if is_needed(module.filename) else ""
    )


def _foreign_program() -> Failure:
    return Failure(
        FailureCode.INTERNAL,
        "The program was built for another version of the JavaScript image.",
        next_step="Build the Action again.",
    )


def _silent(message: str) -> None:
    del message
