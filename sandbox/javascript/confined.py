"""Runs a build tool of ours on a tenant's text: bounded in time, memory and output, with nothing ambient.

The bundler is native code that parses what a tenant wrote (threat-model C8, U1). It gets an environment and
a folder of our choosing, and its limits before its first byte of input.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sandbox.caps import MIB
from sandbox.priority import give_way

resource: Any
try:
    import resource
except ImportError:  # no POSIX system: time alone bounds a tool
    resource = None

_FILES: Final = 64
"""Open files of a tool."""
_EXHAUSTED: Final = ("cannot allocate memory", "out of memory", "stack exceeds", "stack overflow")
"""How Go says that memory is over; the end of a stack is one way."""
_STORY: Final = 4096


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one run may use.

    Attributes:
        seconds: wall time; processor time ends a second later, should nobody be left to watch.
        memory_bytes: writable memory of the process (Linux; elsewhere only time bounds it).
        output_bytes: of each stream and of each file that it writes; none may become as large.
    """

    seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended. `exhausted`: it wanted more memory, stack, processor time or output than it had."""

    ok: bool
    stdout: bytes
    stderr: bytes
    exhausted: bool


class ToolTimeoutError(Exception):
    """The tool ran longer than it may."""


COMPILING: Final = Bounds(seconds=2.0, memory_bytes=384 * MIB, output_bytes=8 * MIB)
"""For one source: an honest one of the largest size takes 0.05 s, 40 MiB and 1 MiB (measured)."""


def run_confined(
    command: Sequence[str],
    text: bytes,
    bounds: Bounds,
    *,
    folder: str | Path = "/",
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run `command` with `text` as its standard input.

    Args:
        folder: working directory.
        environment: the whole of it; nothing of ours is handed on.

    Raises:
        ToolTimeoutError: it was ended at `bounds.seconds`.
        OSError: it could not be started.
    """
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with subprocess.Popen(  # noqa: S603 - a list, no shell; nothing in it is the tenant's
            list(command),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env=dict(environment or {}),
        ) as process:
            try:
                _confine(process.pid, bounds)
                process.communicate(text, timeout=bounds.seconds)
            except subprocess.TimeoutExpired:
                raise ToolTimeoutError from None
            finally:
                process.kill()  # nothing happens when it has ended
        return _finished(process.returncode, _read(stdout, bounds), _read(stderr, bounds), bounds)


def _confine(pid: int, bounds: Bounds) -> None:
    """Set the limits of a process that waits for its input and so has met nothing of a tenant's."""
    give_way(pid)  # what a login waits for comes first
    prlimit = getattr(resource, "prlimit", None)
    if prlimit is None:  # not Linux
        return
    seconds = int(bounds.seconds) + 1
    for kind, value in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, bounds.memory_bytes),
        (resource.RLIMIT_FSIZE, bounds.output_bytes),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            prlimit(pid, kind, (value, value))
        except ProcessLookupError:
            return  # it could not run at all; its exit status says so


def _read(stream: IO[bytes], bounds: Bounds) -> bytes:
    stream.seek(0)
    return stream.read(bounds.output_bytes + 1)


def _finished(status: int, stdout: bytes, stderr: bytes, bounds: Bounds) -> Finished:
    story = stderr[:_STORY].decode("utf-8", "replace")
    full = max(len(stdout), len(stderr)) >= bounds.output_bytes
    starved = status != 0 and any(words in story for words in _EXHAUSTED)
    return Finished(status == 0, stdout, stderr, exhausted=full or starved or status < 0)
