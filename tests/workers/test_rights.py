"""What a worker may not do, tried from inside a real one (threat-model E1, B3)."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.workers.child import late_imports
from runner.workers.child.privileges import ADDRESS_BYTES, DATA_BYTES
from runner.workers.parent.processes.process import WorkerProcess
from runner.workers.protocol.frames import encode
from sandbox.wasm import artefacts

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is Linux's")

PROBE = """
import sys
from runner.workers.child import main as child
from runner.workers.child import worker_server

TRIES = {tries!r}

class Probing(worker_server.WorkerServer):
    def handle(self, head, body):
        import json
        found = {{}}
        for name, code in TRIES.items():
            scope = {{}}
            try:
                exec(code, scope)
                found[name] = ["done", repr(scope.get("value"))]
            except BaseException as error:
                found[name] = [type(error).__name__, str(error)[:200]]
        self._link.send({{"t": "log", "level": "info", "text": json.dumps(found)}})

worker_server.WorkerServer = Probing
child.main()
"""

TRIES = {
    "read": "open('/etc/hostname').read()",
    "read_key": "import os; os.open(KEY, os.O_RDONLY)",
    "write": "open('/tmp/actionbox-worker-was-here', 'w')",
    "list": "import os; os.listdir('/')",
    "unlink": "import os; os.unlink(KEY)",
    "stat": "import os; os.stat('/etc/passwd')",
    "socket": "import socket; socket.socket()",
    "unix": "import socket; socket.socket(socket.AF_UNIX)",
    "pair": "import socket; socket.socketpair()",
    "connect": "import socket; socket.create_connection(('127.0.0.1', 1), 1)",
    "resolve": "import socket; socket.getaddrinfo('localhost', 1)",
    "fork": "import os; os.fork()",
    "exec": "import os; os.execv('/bin/true', ['true'])",
    "spawn": "import subprocess; subprocess.run(['/bin/true'])",
    "posix_spawn": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "kill_parent": "import os; os.kill(os.getppid(), 0)",
    "signal_parent": "import ctypes, os; value = ctypes.CDLL(None).tgkill(os.getppid(), os.getppid(), 0)",
    "ptrace": "import ctypes; value = ctypes.CDLL(None).ptrace(16, PARENT, 0, 0)",
    "open_by_number": "import ctypes; value = ctypes.CDLL(None).syscall(437, -100, b'/etc/passwd', 0, 0)",
    "privileges": "import os; os.setuid(0)",
}
REFUSED = {
    "read": "PermissionError", "read_key": "PermissionError", "write": "PermissionError",
    "list": "PermissionError", "unlink": "PermissionError", "stat": "PermissionError",
    "socket": "PermissionError", "unix": "PermissionError", "pair": "PermissionError",
    "connect": "PermissionError", "fork": "PermissionError", "exec": "PermissionError",
    "spawn": "PermissionError", "posix_spawn": "PermissionError", "kill_parent": "PermissionError",
    "privileges": "PermissionError",
}  # fmt: skip
FACTS = {
    "environment": "import os; value = dict(os.environ)",
    "user": "import os; value = os.getuid()",
    "threads": "import threading; t = threading.Thread(target=int); t.start(); t.join(); value = True",
    "random": "import os; value = len(os.urandom(8))",
    "written_pages": (
        "import sandbox; memories = sandbox.open_engine(sandbox.Language.PYTHON).image.memories;"
        "value = memories.tells_written_pages"
    ),
    "modules": "import sys; value = [m for m in ('aiohttp', 'sqlalchemy', 'fastapi') if m in sys.modules]",
}


async def probe(tries: dict[str, str]) -> dict[str, Any]:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    process = WorkerProcess(
        ("-I", "-c", PROBE.format(tries=tries)), lambda message, _: heard.put_nowait(message), lambda: None
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", "postgresql://secret")
        patch.delenv(late_imports.SETTING)  # it is to try what would end a worker that is watched
        await process.start()
    try:
        ready = await asyncio.wait_for(heard.get(), 60)
        assert ready.t == "ready", (ready, process.told)
        assert all(ready.rights.values()), ready.rights
        process.send(encode({"t": "go"}))
        found: dict[str, Any] = json.loads((await asyncio.wait_for(heard.get(), 30)).text)
        folder = Path(f"/proc/{process.pid}")
        found["status"] = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        found["limits"] = (folder / "limits").read_text()
        if os.geteuid() == 0:
            # Of its own pages it may know which were written (sandbox.wasm.memories).
            own = {f"/proc/{process.pid}/pagemap"}
            found["open"] = [
                name for item in (folder / "fd").iterdir() if (name := str(item.readlink())) not in own
            ]
        found["owner"] = (folder / "environ").stat().st_uid
    finally:
        process.kill("over")
        await process.ended()
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    key = tmp_path_factory.mktemp("keys") / "key"
    key.write_text("the key of the installation")
    subprocess.run([sys.executable, "-c", "import sandbox; sandbox.build_images()"], check=True)
    head = f"KEY, PARENT = {str(key)!r}, {os.getpid()}\n"
    found = asyncio.run(probe({name: head + code for name, code in {**TRIES, **FACTS}.items()}))
    assert key.read_text() == "the key of the installation"
    return found


@linux
@pytest.mark.parametrize("name", REFUSED)
def test_the_system_refuses(found: dict[str, Any], name: str) -> None:
    assert found[name][0] == REFUSED[name], found[name]


@linux
@pytest.mark.parametrize("name", ["signal_parent", "ptrace", "open_by_number"])
def test_the_system_refuses_raw_calls(found: dict[str, Any], name: str) -> None:
    assert found[name] == ["done", "-1"]


@linux
def test_names_cannot_be_resolved(found: dict[str, Any]) -> None:
    assert found["resolve"][0] in ("gaierror", "PermissionError")
    assert not Path("/tmp/actionbox-worker-was-here").exists()


@linux
def test_what_is_left(found: dict[str, Any]) -> None:
    assert found["environment"] == ["done", "{}"]
    assert found["user"] != ["done", "0"]
    assert found["threads"] == ["done", "True"], "legs need threads"
    assert found["random"] == ["done", "8"], "guests need randomness"
    assert found["written_pages"] == ["done", "True"], "Python instances are slow without"
    assert found["modules"] == ["done", "[]"], "no client of a network or a database is even loaded"


@linux
def test_what_the_system_says_of_it(found: dict[str, Any]) -> None:
    limits = {line[:26].strip(): line[26:].split()[:2] for line in found["limits"].splitlines()}
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["1024", "1024"]
    assert limits["Max address space"] == [str(ADDRESS_BYTES)] * 2
    assert limits["Max data size"] == [str(DATA_BYTES)] * 2
    assert found["status"]["NoNewPrivs"] == "1"
    assert found["status"]["Seccomp"] == "2", "a filter is set"
    assert found["status"]["CapEff"] == "0" * 16
    assert found["owner"] == 0, "others of its user may not look into it"


@linux
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may look")
def test_what_it_has_open(found: dict[str, Any]) -> None:
    images = str(artefacts.cache_directory())
    kinds = [name.split(":")[0] for name in found["open"] if not name.startswith(images)]
    assert kinds.count("socket") == 1
    pagemap = f"/proc/{found['status']['Pid'].strip()}/pagemap"
    assert set(kinds) <= {"socket", "pipe", "/dev/null", "/memfd", pagemap}, found["open"]
