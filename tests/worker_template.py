"""A process that workers of the suite are forked from: `python -I -X utf8 worker_template.py SOCKET PARENT`.

It has loaded what a worker loads before it gives up its rights, and nothing else: what a worker would import
too late, one that is forked from here imports too late as well. See `tests.forked_workers`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import selectors
import signal
import socket
import sys
import zoneinfo
from pathlib import Path
from typing import Any

from runner.workers.child import builder, main, warmup, worker_server
from sandbox.wasm import artefacts

_PR_SET_PDEATHSIG = 1
LOADED = (builder, main, worker_server)
_IMAGES = ("javascript-code-*.bin", "javascript-image-*.bin", "python-native-*.bin")


_kept: list[zoneinfo.ZoneInfo] = []


def _read_images() -> None:
    """Read and check once what every worker opens: 70 MB of images, as long as they are not replaced."""
    afresh = artefacts._read
    folder = artefacts.cache_directory()
    found = [path for pattern in _IMAGES for path in folder.glob(pattern)]
    kept = {path: (path.stat().st_ino, afresh(path)) for path in found}

    def read(path: Path) -> bytes | None:
        inode, content = kept.get(path, (0, None))
        with contextlib.suppress(OSError):
            if content is not None and path.stat().st_ino == inode:
                return content
        return afresh(path)

    artefacts._read = read


def serve(listener: socket.socket) -> None:
    """Fork a worker for every request; tell its process id, and its status when it ends."""
    waiting: dict[int, socket.socket] = {}
    wake, woken = socket.socketpair()
    for end in (wake, woken):
        end.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    pid = _fork(connection, [listener, wake, woken, *waiting.values()])
                    waiting[pid] = connection
                else:
                    wake.recv(4096)
            for pid, status in _ended(waiting):
                with waiting.pop(pid) as connection:
                    _tell(connection, status)


def _ended(waiting: dict[int, socket.socket]) -> list[tuple[int, int]]:
    found = []
    for pid in waiting:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found.append((pid, os.waitstatus_to_exitcode(status)))
    return found


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked is gone
        connection.sendall(number.to_bytes(4, "big", signed=True))


def _fork(connection: socket.socket, ours: list[socket.socket]) -> int:
    text, descriptors, _, _ = socket.recv_fds(connection, 65536, 2)
    asked = json.loads(text)
    template = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _become(asked, descriptors[0], descriptors[1], template, [connection, *ours])
        finally:
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)
    _tell(connection, pid)
    return pid


def _become(
    asked: dict[str, Any], link: int, errors: int, template: int, inherited: list[socket.socket]
) -> None:
    """What `exec` would have made of this process; then a worker."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for item in inherited:
        item.close()
    os.setpgid(0, 0)
    os.dup2(errors, 2)
    os.close(errors)
    os.chdir("/")
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [*asked["command"], str(link), str(template)]
    main.main()


def run() -> None:
    """Load everything, then serve until the parent dies."""
    descriptor, parent = int(sys.argv[-2]), int(sys.argv[-1])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    warmup.imports()  # images are opened after the fork: their engine begins a thread
    _read_images()
    _kept.extend(zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones())
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=descriptor))


if __name__ == "__main__":
    run()
