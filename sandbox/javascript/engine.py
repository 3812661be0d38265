"""The JavaScript sandbox: QuickJS-NG in WebAssembly, a fresh instance for every execution (design 5)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from sandbox.caps import Limits
from sandbox.failure import BuildError, Failure, FailureCode
from sandbox.javascript import compiler
from sandbox.javascript.checkpoints import Checkpoints, Prepared, describe
from sandbox.javascript.image import Image, open_image
from sandbox.javascript.run import Run
from sandbox.port import HostPort
from sandbox.program import Language, Program, Request, Source
from sandbox.result import EngineReport

_log: Final = logging.getLogger(__name__)


class JavaScriptEngine:
    """Implements `sandbox.result.Engine`. Safe to call from several threads.

    Args:
        progress: told what is going on while the guest image is built (once per machine).

    Raises:
        ImageError, ToolchainError: the guest image cannot be built.
    """

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        self.image: Image = open_image(progress or _silent)
        self._checkpoints = Checkpoints(self.image)

    @property
    def language(self) -> Language:
        return Language.JAVASCRIPT

    def build(self, source: Source, limits: Limits) -> Program:
        """See `sandbox.result.Engine.build`. Never runs tenant code."""
        return compiler.build(self.image, source, limits)

    def exports(self, program: Program, limits: Limits, port: HostPort) -> tuple[str, ...]:
        """See `sandbox.result.Engine.exports`."""
        port.begin(time.monotonic() + limits.wall_ms / 1000)
        try:
            run = Run(self.image, Prepared(program, describe(program, None)), limits, port)
            failure = run.load()
        finally:
            port.end()
        if port.fatal or failure:
            raise BuildError(port.fatal or failure)  # type: ignore[arg-type] # one of them is there
        return run.exported_names

    def run(self, program: Program, request: Request, limits: Limits, port: HostPort) -> EngineReport:
        """See `sandbox.result.Engine.run`."""
        if program.image != self.image.digest:
            return EngineReport(_foreign_program(), 0)
        run = Run(self.image, self._checkpoints.prepare(program, request.surface), limits, port)
        return EngineReport(run.execute(request), run.peak_memory_bytes)


def _foreign_program() -> Failure:
    return Failure(
        FailureCode.INTERNAL,
        "The program was built for another version of the JavaScript image.",
        next_step="Build the Action again.",
    )


def _silent(message: str) -> None:
    del message
