"""Runs untrusted Actions in WebAssembly sandboxes.

`build` makes a `Program` of a `Source`; `run` executes it against a port and answers an
`ExecutionResult`. Engines are opened on first use, once per process and language.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sandbox.core.caps import Limits
from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Language, Program, Request, Source
from sandbox.core.setup_error import SetUpError
from sandbox.egress.none import NoEgress
from sandbox.engine import Engine
from sandbox.execution import execute
from sandbox.port.interface import ExecutionPort
from sandbox.port.live import LivePort, NoApi
from sandbox.result import ExecutionResult

__all__ = [
    "BuildError",
    "ExecutionResult",
    "Failure",
    "FailureCode",
    "Language",
    "Limits",
    "Program",
    "Request",
    "SetUpError",
    "Source",
    "build",
    "build_images",
    "exports",
    "open_engine",
    "run",
]

_ENGINES: Final = {
    Language.JAVASCRIPT: ("sandbox.javascript.engine", "JavaScriptEngine"),
    Language.PYTHON: ("sandbox.python.engine", "PythonEngine"),
}
_engines: Final[dict[Language, Engine]] = {}
_locks: Final = {language: threading.Lock() for language in Language}


def open_engine(language: Language, progress: Callable[[str], None] | None = None) -> Engine:
    """The process-wide engine of `language`. The first call may build the guest image, which takes a
    minute on a new machine; `progress` is told about it. Safe to call from several threads."""
    with _locks[language]:
        engine = _engines.get(language)
        if engine is None:
            engine = _engines[language] = _make_engine(language, progress or _silent)
    return engine


def build(source: Source, limits: Limits = Limits(), *, load: bool = False) -> Program:  # noqa: B008 - frozen
    """Compile and check `source`. Raises `BuildError` with a typed failure.

    Args:
        load: refuse packages that never finish loading, as is due once for each version.
    """
    return open_engine(source.language).build(source, limits, load=load)


def exports(
    program: Program,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    wanted: Sequence[str] = (),
) -> tuple[str, ...]:
    """Names of the functions that the top level of `program` exports, found by running it with no api
    and no network. `wanted` are asked for by themselves: a JavaScript proxy need not list what it has.
    Raises `BuildError` when the top level fails."""
    port = LivePort(NoApi(), NoEgress(), limits)
    port.begin(time.monotonic() + limits.wall_ms / 1000)
    try:
        return open_engine(program.language).exports(program, limits, port, wanted)
    finally:
        port.end()


def run(program: Program, request: Request, limits: Limits, port: ExecutionPort) -> ExecutionResult:
    """Run one handler in a fresh instance. Never raises. `port` is used once."""
    return execute(open_engine(program.language), program, request, limits, port)


def build_images(progress: Callable[[str], None] | None = None) -> None:
    """Build every guest image that the cache does not hold yet, side by side, and open its engine. `progress`
    is called from several threads."""
    with ThreadPoolExecutor(len(Language), "images") as threads:
        opened = [threads.submit(open_engine, language, progress) for language in Language]
    for done in opened:
        done.result()


def _make_engine(language: Language, progress: Callable[[str], None]) -> Engine:
    # Imported late: each engine loads a large native image and its tool chain's bindings.
    module, name = _ENGINES[language]
    engine: Engine = getattr(importlib.import_module(module), name)(progress=progress)
    return engine


def _silent(message: str) -> None:
    del message
