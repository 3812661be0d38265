"""A private PostgreSQL server for tests: started on first use, in a temporary folder, on a free port."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from functools import cache
from pathlib import Path

import psycopg
import pytest

_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")


class Cluster:
    """A PostgreSQL server of our own, which may be stopped and started again; `address`: `host:port`.

    Args:
        durable: writes to the disk as PostgreSQL does by default, for benchmarks.
    """

    def __init__(self, tools: Path, folder: Path, *, durable: bool = False) -> None:
        self._tools, self._folder, self._user = tools, folder, _unprivileged()
        self._options = "" if durable else "-c fsync=off -c full_page_writes=off"
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._port = _free_port()
        self.address = f"127.0.0.1:{self._port}"
        options = "-U postgres -A trust -N -E UTF8 --no-instructions"
        _run(self._user, tools / "initdb", "-D", folder / "data", *options.split())
        self.start()

    def start(self) -> None:
        """Returns once it answers."""
        options = f"-p {self._port} -h 127.0.0.1 -k {self._folder} -c max_connections=200 {self._options}"
        command = (self._tools / "postgres", "-D", self._folder / "data", *options.split())
        self._process = _start(self._user, *command)
        for _ in range(100):
            try:
                psycopg.connect(f"postgresql://postgres@{self.address}/postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"PostgreSQL did not start; see {self._folder}")

    def stop(self, how: int = signal.SIGQUIT) -> None:
        """By default at once, as a crash would end it."""
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def signal(self, number: int) -> None:
        """To the server and every process that it has started."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, number)

    def database(self, template: str = "template1") -> str:
        """The URL of a new database, which is empty unless `template` is the name of one to be copied."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(f"postgresql://postgres@{self.address}/postgres", autocommit=True) as connection:
            connection.execute(f"create database {name} template {template}")
        return f"postgresql://postgres@{self.address}/{name}"


def new_cluster(*, durable: bool = False) -> Cluster | None:
    """One that ends with this process; None when PostgreSQL is not installed. `durable`: see `Cluster`."""
    tools = _tools()
    if tools is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="actionbox-pg-"))
    cluster = Cluster(tools, folder, durable=durable)

    def stop() -> None:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return cluster


server = cache(new_cluster)
"""The server of this test process."""


def new_database(template: str = "template1") -> str:
    """The URL of a new database, see `Cluster.database`; skips the test where there is no server."""
    return installed(server()).database(template)


def installed(cluster: Cluster | None) -> Cluster:
    """The cluster; skips the test when there is none."""
    if cluster is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql): NOT TESTED on it")
    return cluster


def _tools() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    for place in _PLACES:
        for folder in sorted(Path(place).glob("**/bin"), reverse=True):
            if (folder / "initdb").exists():
                return folder
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _as(user: pwd.struct_passwd | None) -> dict[str, object]:
    options: dict[str, object] = {"cwd": "/", "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    if user is not None:
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return options


def _run(user: pwd.struct_passwd | None, *command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True, **_as(user))  # type: ignore[call-overload]


def _start(user: pwd.struct_passwd | None, *command: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload]
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as(user)
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
