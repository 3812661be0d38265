"""A service on a database of each size, all running at once, so that they can be asked in turn."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Final

from bench.growth.rows import BIG, SMALL
from bench.service.invoke import deploy
from runner.client import Api, Connection
from runner.client.http import MANAGEMENT, RUNTIME
from runner.store import KeyRing, Store
from sandbox.core.program import Language
from tests.e2e.serving import ACTIONBOX, environment, process

_PATIENCE_SECONDS: Final = 600.0
_SERVE: Final = (
    "import sys; from runner.jobs import cleaner; cleaner._EVERY_SECONDS = 2.0; "
    "from runner.cli import main; main(['serve', '--port', sys.argv[1]])"
)
"""The cleaner looks every other second, and not every five minutes."""
_CREDENTIALS: Final = re.compile(r"^\s*client (?:id|secret)\s+(\S+)$", re.MULTILINE)


@dataclass
class Grown:
    """A filled database and the service on it.

    Attributes:
        url: of the database.
        started: seconds of each start until it serves.
        tokens: of the runtime plane and of the Management API, by tenant.
    """

    size: int
    folder: Path
    url: str
    port: int
    metrics: int
    started: list[float] = field(default_factory=list)
    pid: int = 0
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    _connections: dict[int, http.client.HTTPConnection] = field(default_factory=dict)

    @classmethod
    def of(cls, size: int, folder: Path, url: str) -> Grown:
        KeyRing.create(folder / "keys.json")
        return cls(size, folder, url, _free_port(), _free_port())

    @contextmanager
    def running(self) -> Iterator[None]:
        """The service, for the block. The first time, with an Action bound in both tenants."""
        settings = {
            "DATABASE_URL": self.url,
            "ACTIONBOX_METRICS_PORT": str(self.metrics),
            "ACTIONBOX_RATE_PER_SECOND": "1000000",
            "ACTIONBOX_RATE_BURST": "1000000",
            "ACTIONBOX_LOG_LEVEL": "error",
        }
        env = environment(self.folder, **settings)
        began = time.perf_counter()
        with process([sys.executable, "-c", _SERVE, str(self.port)], env) as (started, lines):
            text = ""
            while "/invoke" not in text and "Tokens:" not in text:
                try:
                    text += lines.get(timeout=0.1)
                except Empty:
                    assert started.poll() is None, text
                    assert time.perf_counter() - began < _PATIENCE_SECONDS, text
            self.pid = started.pid
            if self.tokens:
                self.started.append(time.perf_counter() - began)
            else:
                self._prepare(text, env)
            yield
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _prepare(self, text: str, env: dict[str, str]) -> None:
        added = subprocess.run(
            [ACTIONBOX, "tenant", "add", SMALL], env=env, capture_output=True, text=True, check=True
        ).stdout
        for tenant, said in ((BIG, text), (SMALL, added)):
            client, secret = _CREDENTIALS.findall(said)[:2]
            api = Api(Connection(f"http://127.0.0.1:{self.port}", client_id=client, client_secret=secret))
            self.tokens[tenant, RUNTIME] = deploy(api, Language.JAVASCRIPT)
            self.tokens[tenant, MANAGEMENT] = api.token(MANAGEMENT)

    def timed(self, tenant: str, path: str, body: bytes | None = None) -> tuple[float, bytes]:
        """Milliseconds that a request takes, and its answer.

        Raises:
            AssertionError: it is not 200.
        """
        headers = {}
        if tenant:
            plane = RUNTIME if path.startswith("/runtime") else MANAGEMENT
            headers["Authorization"] = f"Bearer {self.tokens[tenant, plane]}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection(self.port if tenant else self.metrics)
        began = time.perf_counter()
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        took = (time.perf_counter() - began) * 1000
        assert response.status == 200, (path, response.status, answer[:300])
        return took, answer

    def value(self, tenant: str, path: str) -> dict[str, object]:
        """An answer that is a JSON object."""
        found: dict[str, object] = json.loads(self.timed(tenant, path)[1])
        return found

    def _connection(self, port: int) -> http.client.HTTPConnection:
        if port not in self._connections:
            made = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
            made.connect()
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[port] = made
        return self._connections[port]

    def store(self) -> Store:
        return Store.open(self.url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
