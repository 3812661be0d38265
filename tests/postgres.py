"""A private PostgreSQL server for tests: started on first use, in a temporary folder, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
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


@cache
def server() -> str | None:
    """`host:port` of the server of this test process, None when PostgreSQL is not installed."""
    tools = _tools()
    if tools is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="actionbox-pg-"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, port = folder / "data", _free_port()
    _run(
        user,
        tools / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-N",
        "-E",
        "UTF8",
        "--no-instructions",
    )
    options = (
        f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c full_page_writes=off -c max_connections=200"
    )
    process = _start(user, tools / "postgres", "-D", data, *options.split())
    _stop_at_exit(process, folder)
    address = f"127.0.0.1:{port}"
    for _ in range(100):
        try:
            psycopg.connect(f"postgresql://postgres@{address}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return address
    raise RuntimeError(f"PostgreSQL did not start; see {folder}")


def new_database() -> str:
    """The URL of a new, empty database; skips the test where there is no server."""
    address = server()
    if address is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql): NOT TESTED on it")
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"postgresql://postgres@{address}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return f"postgresql://postgres@{address}/{name}"


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
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as(user)
    )


def _stop_at_exit(process: subprocess.Popen[bytes], folder: Path) -> None:
    import atexit

    def stop() -> None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
