"""Workers of the suite as forks of one process that has loaded what they load (`tests.worker_template`): the
suite starts hundreds, and most of a second of each start goes into modules and images."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runner.workers.parent.processes import process as worker_process
from runner.workers.parent.services.images import BUILDER
from runner.workers.parent.settings import PoolSettings

_TEMPLATE: Final = Path(__file__).with_name("worker_template.py")
_FORKED: Final = (PoolSettings().command, BUILDER)
"""Commands that the template can stand for. Tests have others, whose processes lie or hang."""
_MESSAGE = 4


class ForkedWorker:
    """The part of `subprocess.Popen` that the parent of a worker uses."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.returncode: int | None = None
        self.pid = self._number(None) or 0

    def poll(self) -> int | None:
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None:
                self.returncode = self._number(timeout)
                if self.returncode is not None:
                    self._connection.close()
            return self.returncode

    def _number(self, timeout: float | None) -> int | None:
        self._connection.settimeout(timeout)
        try:
            told = self._connection.recv(_MESSAGE, socket.MSG_WAITALL)
        except (BlockingIOError, TimeoutError):
            return None
        # A template that is gone has taken its workers along.
        return int.from_bytes(told, "big", signed=True) if told else -signal.SIGKILL


@functools.cache
def template() -> str:
    """The address of this process's template, which serves the processes that it starts as well; none but on
    Linux, where a process can end with its parent."""
    if not sys.platform.startswith("linux"):
        return ""
    folder = tempfile.mkdtemp(prefix="workers-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address = str(Path(folder) / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", str(_TEMPLATE), str(listener.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            pass_fds=(listener.fileno(),),
        )
    process.returncode = 0  # nobody waits for it: it ends with this process
    return address


def fork_workers(address: str) -> None:
    """From now on the workers of this process are forked from the template at `address`, if there is one."""
    afresh = worker_process.spawn

    def spawn(command: Sequence[str], connection: int, errors: int, environment: Mapping[str, str]) -> Any:
        if not address or tuple(command) not in _FORKED:
            return afresh(command, connection, errors, environment)
        template = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        template.connect(address)
        text = json.dumps({"command": [*command], "environment": {**environment}})
        socket.send_fds(template, [text.encode()], [connection, errors])
        return ForkedWorker(template)

    worker_process.spawn = spawn
