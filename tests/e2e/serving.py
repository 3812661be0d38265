"""`actionbox serve` and `actionbox worker` as processes of their own, as an operator starts them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from runner.client import Api, Connection, RuntimeClient
from tests.forked import Forked

ACTIONBOX = str(Path(sys.executable).with_name("actionbox"))
_START_SECONDS = 90
Process = subprocess.Popen[str] | Forked


@dataclass
class Served:
    """A running service. Credentials are only known after a first start."""

    process: Process
    url: str
    ca_file: str
    token: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)
    data: Path = Path()
    lines: SimpleQueue[str] = field(default_factory=SimpleQueue, repr=False)
    text: str = field(default="", repr=False)

    @property
    def output(self) -> str:
        """Everything it has written so far; all of it once the block of `serve` is left."""
        while not self.lines.empty():
            self.text += self.lines.get()
        return self.text

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log: what it has written as JSON objects."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def connection(self) -> Connection:
        """As its users connect: by client id and secret. By the token where there is nothing else."""
        ca_file = self.ca_file or None
        if self.client_id:
            return Connection(
                self.url, client_id=self.client_id, client_secret=self.client_secret, ca_file=ca_file
            )
        return Connection(self.url, token=self.token, ca_file=ca_file)

    def api(self) -> Api:
        return Api(self.connection())

    def runtime(self) -> RuntimeClient:
        return RuntimeClient.over(self.api())

    def environment(self) -> dict[str, str]:
        """For the tenant's command line."""
        by_secret = {"ACTIONBOX_CLIENT_ID": self.client_id, "ACTIONBOX_CLIENT_SECRET": self.client_secret}
        signed = by_secret if self.client_id else {"ACTIONBOX_TOKEN": self.token}
        trust = {"ACTIONBOX_CA_FILE": self.ca_file} if self.ca_file else {}
        return {"ACTIONBOX_URL": self.url, **signed, **trust}

    def kill(self) -> None:
        """As a power loss ends it."""
        self.process.kill()
        self.process.wait(10)


def environment(data: Path, **settings: str) -> dict[str, str]:
    """What an operator sets, and nothing else of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "ACTIONBOX_CACHE") if name in os.environ}
    return {
        **kept,
        "ACTIONBOX_DATA_DIR": str(data),
        "ACTIONBOX_WORKERS": "1",
        "ACTIONBOX_LOG_LEVEL": "warning",
        **settings,
    }


@contextmanager
def serve(
    data: Path,
    *options: str,
    port: int = 0,
    known: Served | None = None,
    afresh: bool = False,
    **settings: str,
) -> Iterator[Served]:
    """A service on loopback, stopped at the end. `known`: of an earlier start on the same data, whose token
    still holds. `afresh`: see `process`."""
    command = [ACTIONBOX, "serve", "--port", str(port), *options]
    with process(command, environment(data, **settings), afresh=afresh) as (started, lines):
        text = _until(started, lines, "/invoke" if known is None else "Tokens:")
        yield Served(
            process=started,
            url=_found(r"actionbox serves (\S+)", text),
            ca_file=_found(r"CA file\s+(\S+)", text),
            token=_found(r"token\s+(ey\S+)", text) or (known.token if known else ""),
            client_id=_found(r"client id\s+(\S+)", text) or (known.client_id if known else ""),
            client_secret=_found(r"client secret\s+(\S+)", text) or (known.client_secret if known else ""),
            data=data,
            lines=lines,
            text=text,
        )


@contextmanager
def worker(data: Path, *, machine: str = "", **settings: str) -> Iterator[Process]:
    """An `actionbox worker` process that is ready. `machine`: the name of the machine that it takes itself to
    be on; others then cannot look after its process."""
    command = [ACTIONBOX, "worker"]
    if machine:
        named = f"import socket; socket.gethostname = lambda: {machine!r}"
        command = [sys.executable, "-c", f"{named}; from runner.cli import main; main(['worker'])"]
    with process(command, environment(data, **settings)) as (started, lines):
        _until(started, lines, "ready")
        yield started


@contextmanager
def process(
    command: list[str], env: Mapping[str, str], *, afresh: bool = False
) -> Iterator[tuple[Process, SimpleQueue[str]]]:
    """A running command and the lines that it writes. `afresh`: in an interpreter of its own from the start,
    not forked from one that has imported everything."""
    reading, writing = os.pipe()
    started: Process
    if command[0] == ACTIONBOX and not afresh:
        started = Forked(command[1:], env, writing)
    else:
        started = subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=writing, stderr=writing, text=True
        )
    os.close(writing)
    lines: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        with os.fdopen(reading, encoding="utf-8", errors="backslashreplace") as output:
            for line in output:
                lines.put(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield started, lines
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                raise
        reader.join(10)


def _until(started: Process, lines: SimpleQueue[str], mark: str) -> str:
    text, deadline = "", time.monotonic() + _START_SECONDS
    while mark not in text:
        try:
            text += lines.get(timeout=0.2)
        except Empty:
            assert started.poll() is None, f"it ended with {started.returncode}:\n{text}"
            assert time.monotonic() < deadline, f"it is not ready:\n{text}"
    return text


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""
