"""Where the time goes under load: a flame graph of the service's process and of a worker, for each language.

Only who holds the interpreter lock is in them: what a guest computes in WebAssembly runs without it, and the
kernel's part of a system call is none of Python's. `Prefer: server-timing` tells the parts of one request.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.report import Report
from bench.service.invoke import deploy, running_service, under_load, worker_pids
from sandbox.core.program import Language

FOLDER: Final = Path("build/profile")
_SECONDS: Final = 10
_CLIENTS: Final = 8
_HERTZ: Final = 200


def drawn() -> Report:
    """One row for each picture."""
    made = Report(
        f"Flame graphs under {_CLIENTS} clients, in {FOLDER}", ("language", "process"), ("picture",)
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_service(1, "sqlite") as served:
        for language in Language:
            token = deploy(served.api(), language)
            asyncio.run(under_load(served, token, _CLIENTS))
            processes = {"front": served.process.pid, "worker": worker_pids(served)[0]}
            files = {name: FOLDER / f"{language.value}-{name}.svg" for name in processes}
            watching = [_record(pid, files[name]) for name, pid in processes.items()]
            asyncio.run(under_load(served, token, _CLIENTS, _SECONDS + 2.0))
            for (name, path), watched in zip(files.items(), watching, strict=True):
                said = watched.communicate(timeout=60)[0].strip()
                if watched.returncode == 0:
                    made.add(language.value, name, str(path))
                else:
                    made.leave_out(language.value, name, why=said)
    return made


def _record(pid: int, path: Path) -> subprocess.Popen[str]:
    """py-spy on a process. Workers let nobody of their own user look into them: root may."""
    command = [
        str(Path(sys.executable).with_name("py-spy")),
        "record",
        *("--pid", str(pid), "--output", str(path), "--format", "flamegraph"),
        *("--rate", str(_HERTZ), "--duration", str(_SECONDS), "--gil", "--nonblocking"),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
