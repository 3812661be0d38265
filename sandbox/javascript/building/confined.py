"""Runs a build tool of ours on a tenant's text: bounded in time, memory and output, with nothing ambient.

The bundler is native code that parses what a tenant wrote (threat-model C8, U1). It gets an environment and
a folder of our choosing, and its limits before its first byte of input.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sandbox.core.caps import MIB
from sandbox.core.priority import give_way
from sandbox.wasm.slices import longest

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
_SOON: Final = 0.05


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one run.

    Attributes:
        seconds: processor time, which ends a second later also where nobody is left to watch; and at most
            `longest(seconds)` on the clock.
        memory_bytes: writable memory of the process (Linux; elsewhere only time bounds it).
        output_bytes: of each stream and of each file that it writes; none may become as large.
    """

    seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run. `exhausted`: it wanted more memory, stack, processor time or output than it had."""

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
        ToolTimeoutError: it was ended when its time was over.
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
                _await(process, text, bounds.seconds)
            finally:
                process.kill()  # nothing happens when it has ended
        return _finished(process.returncode, _read(stdout, bounds), _read(stderr, bounds), bounds)


def _await(process: subprocess.Popen[bytes], text: bytes, seconds: float) -> None:
    """Until it has ended. Raises `ToolTimeoutError`."""
    latest, wait = time.monotonic() + longest(seconds), seconds
    given: bytes | None = text
    while True:
        try:
            process.communicate(given, timeout=wait)
        except subprocess.TimeoutExpired:
            given = None  # the next call goes on with what it has
            left = seconds - _used(process.pid)
            if left <= 0 or time.monotonic() >= latest:
                raise ToolTimeoutError from None
            wait = max(left, _SOON)
        else:
            return


def _used(pid: int) -> float:
    """Seconds of processor time; without end where they cannot be told."""
    if not sys.platform.startswith("linux"):
        return math.inf
    clock = (~pid << 3) | 2  # as clock_getcpuclockid(3) names the clock of a process
    try:
        return time.clock_gettime(clock)
    except OSError:
        return math.inf


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
