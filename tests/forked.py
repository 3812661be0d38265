"""`actionbox` as a process forked from one which has imported it: what an operator starts, without the
seconds that an interpreter needs to read some 1,500 modules, a hundred times in a run of the suite."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.forked_workers import fork_workers, template

FORKS = multiprocessing.get_context("forkserver")
"""Makes processes that begin with all of our modules."""
FORKS.set_forkserver_preload(["tests.forked_modules"])


class Forked:
    """A running command, with the part of `subprocess.Popen` that tests use. `output` gets what it writes;
    `errors` what it writes to stderr, where that is another one."""

    def __init__(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        output: int,
        errors: int | None = None,
        cwd: Path | None = None,
    ) -> None:
        descriptors = [
            Connection(os.dup(number)) for number in (output, output if errors is None else errors)
        ]
        place = str(cwd or Path.cwd())
        self._process = FORKS.Process(
            target=_work, args=([*arguments], {**env}, place, template(), *descriptors)
        )
        self._process.start()
        for descriptor in descriptors:
            descriptor.close()
        self.pid: int = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """As `subprocess` has it: negative for a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("actionbox", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    arguments: Sequence[str], env: Mapping[str, str], timeout: float = 120, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command until it ends. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = Forked(arguments, env, out.fileno(), err.fileno(), cwd)
        try:
            status = started.wait(timeout)
        except subprocess.TimeoutExpired:
            started.kill()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(
            ["actionbox", *arguments], status, out.read().decode(), err.read().decode()
        )


def _work(
    arguments: list[str], env: dict[str, str], cwd: str, workers: str, output: Connection, errors: Connection
) -> None:
    """The forked process becomes what `exec` would have made: its environment, folder, streams and end."""
    from runner.cli import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    fork_workers(workers)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, output.fileno(), errors.fileno())):
        os.dup2(descriptor, number)
    os.close(nothing)
    output.close()
    errors.close()
    streams: Any = [open(number, mode, encoding="utf-8", closefd=False) for number, mode in enumerate("rww")]  # noqa: SIM115
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.argv = ["actionbox", *arguments]
    status = 1
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
