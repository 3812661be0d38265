"""TypeScript, ES modules and `import()` to CommonJS, with esbuild: types are removed, not checked."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from sandbox.core.failure import BuildError, Failure, FailureCode
from sandbox.core.program import Source
from sandbox.javascript import toolchain
from sandbox.javascript.building.confined import COMPILING, Finished, ToolTimeoutError, run_confined
from sandbox.javascript.errors import report

_LOADERS: Final = {".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx"}
_ALWAYS: Final = frozenset(_LOADERS) | {".mjs"}
_MAP_MARK: Final = "//# sourceMappingURL=data:application/json;base64,"
_COMPLAINT: Final = re.compile(
    r"\[ERROR\] (?P<message>[^\n]*)\n\n {4}[^\n]*?:(?P<line>\d+):(?P<column>\d+):\n"
)
_TOP_LEVEL_AWAIT: Final = "Top-level await"


class Transpiled(NamedTuple):
    """CommonJS text, and where its positions came from (`sourcemap.original`)."""

    text: str
    mappings: str


def is_needed(filename: str) -> bool:
    """Whether the name alone says that the source is no CommonJS."""
    return PurePosixPath(filename).suffix.lower() in _ALWAYS


def loader(filename: str) -> str:
    """esbuild's name for the language of a file."""
    return _LOADERS.get(PurePosixPath(filename).suffix.lower(), "js")


def transpile(source: Source, text: str) -> Transpiled:
    """`text`, the checked text of `source`, as CommonJS.

    Raises:
        BuildError: the text does not parse (syntax), wants more than the compiler may use (timeout,
            memory), or the compiler is missing or broken (internal).
    """
    try:
        done = _run(source.filename, text)
    except ToolTimeoutError:
        raise BuildError(_too_slow()) from None
    except (OSError, toolchain.ToolchainError) as error:
        raise BuildError(report.internal(error)) from error
    if done.exhausted:
        raise BuildError(_too_large())
    if not done.ok:
        raise BuildError(_failure(source, done.stderr.decode("utf-8", "replace")))
    code, _, encoded = done.stdout.decode().rpartition(_MAP_MARK)
    return Transpiled(code, json.loads(base64.b64decode(encoded))["mappings"])


def run_compiler(filename: str, text: str) -> Finished:
    """The compiler's answer to `text`, which is in the language of `filename`.

    Raises:
        ToolTimeoutError: it took too long.
        OSError, ToolchainError: it is missing or broken.
    """
    suffix = PurePosixPath(filename).suffix.lower()
    command = [
        str(toolchain.esbuild()),
        f"--loader={loader(filename)}",
        "--format=cjs",
        "--target=es2023",
        "--supported:dynamic-import=false",
        "--charset=utf8",
        "--sourcemap=inline",
        "--sources-content=false",
        f"--sourcefile=action{suffix if suffix in _ALWAYS else '.js'}",
        "--tsconfig-raw={}",
        "--log-level=error",
        "--log-limit=1",
        "--color=false",
    ]
    return run_confined(command, text.encode(), COMPILING)


Run = Callable[[str, str], Finished]
_run: Run = run_compiler


def compile_by(run: Run) -> None:
    """From now on `transpile` asks `run` instead of `run_compiler`: workers may start no process."""
    global _run
    _run = run


def _too_slow() -> Failure:
    return Failure(FailureCode.TIMEOUT, "The source takes too long to compile.", next_step="Make it simpler.")


def _too_large() -> Failure:
    return Failure(
        FailureCode.MEMORY,
        "The source takes too much memory to compile.",
        next_step="Nest brackets, types or functions less deeply, or make it simpler.",
    )


def _failure(source: Source, output: str) -> Failure:
    found = _COMPLAINT.search(output)
    if found is None:
        return report.internal(RuntimeError(output[:2000]))
    place = report.place_in(source, int(found["line"]), int(found["column"]) + 1)
    message, next_step = found["message"], ""
    if message.startswith(_TOP_LEVEL_AWAIT):
        message = "`await` is used outside a function."
        next_step = "Move the line into the handler, which may be `async`; a file cannot wait while it loads."
    return Failure(FailureCode.SYNTAX, message, error_name="SyntaxError", place=place, next_step=next_step)
