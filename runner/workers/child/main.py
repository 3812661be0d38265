"""A worker: `python -m runner.workers.child.main [build] SOCKET PARENT`. Opens the images, gives up its
rights, runs legs; or, as a builder, makes one image of packages.

Whatever a guest might break out into is this process: it has no files, no network, no database, no keys, no
environment, and of tenants only what it runs just now. Everything it asks for, it asks the parent.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import traceback
from typing import Any, Final

from runner.model.caps import MAX_WORKER_LOG_BYTES
from runner.workers.child import late_imports, privileges
from runner.workers.protocol.channel import Link
from runner.workers.protocol.frames import UnsendableError
from sandbox.core.garbage import settle
from sandbox.core.json_text import well_formed
from sandbox.core.priority import give_way
from sandbox.core.program import Language
from sandbox.javascript.building import transpile
from sandbox.wasm import artefacts

IMAGES_MISSING: Final = 3
"""Exit status: the guest images are not built yet."""


_SWITCH_SECONDS: Final = 0.0002
"""How long a thread waits before it demands the interpreter lock from one that computes."""


class _ImagesMissingError(Exception):
    pass


def _only_what_is_there(name: str, key: str, build: Any) -> bytes:  # noqa: ARG001 - a `Supply`
    found = artefacts.find(name, key)
    if found is None:
        raise _ImagesMissingError(name)
    return found


class _ToParent(logging.Handler):
    """The host's log is the parent's."""

    def __init__(self, link: Link) -> None:
        super().__init__(logging.WARNING)
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, cut to its cap."""
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info))
        level = "error" if record.levelno >= logging.ERROR else "warning"
        text = well_formed(f"{record.name}: {text}"[: MAX_WORKER_LOG_BYTES // 4])
        try:
            self._link.send({"t": "log", "level": level, "text": text})
        except (OSError, UnsendableError):  # the parent is gone, and so is the log
            self.handleError(record)


def main() -> None:
    """Serve until the parent closes the socket."""
    building = "build" in sys.argv
    languages = (Language.JAVASCRIPT,) if building else tuple(Language)
    descriptor, parent = int(sys.argv[-2]), int(sys.argv[-1])
    connection = socket.socket(fileno=descriptor)
    link = Link(connection)
    if building:
        give_way()  # before any other thread is there
    try:
        from runner.workers.child import warmup
        from runner.workers.child.builder import ImageBuilder
        from runner.workers.child.worker_server import WorkerServer

        artefacts.supply_by(_only_what_is_there)
        warmup.images(languages)
        if building:
            artefacts.supply_by(None)  # only builders use these: nobody else would make them again
            warmup.ingredients()
    except _ImagesMissingError:
        # At once: the parent kills what is still there a second after the socket closed, and on a busy
        # machine the interpreter takes longer to end in order.
        os._exit(IMAGES_MISSING)
    logging.getLogger().handlers[:] = [_ToParent(link)]
    server = ImageBuilder(link) if building else WorkerServer(link)
    artefacts.supply_by(server.image)
    transpile.compile_by(server.compiled)
    warmup.everything(languages)
    settle()
    begin_watch = late_imports.prepare()
    held = privileges.give_up(parent)
    begin_watch()
    link.send({"t": "ready", "rights": held})
    threading.excepthook = _die
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        for head, body in link.frames():
            server.handle(head, body)
    except OSError:
        pass
    # Nothing is left to do, and threads of guests may still run.
    os._exit(0)


def _die(arguments: threading.ExceptHookArgs) -> None:
    """A thread of ours failed: half a worker is worse than none."""
    kind = arguments.exc_type.__name__
    logging.getLogger(__name__).error("a worker ends: %s", kind, exc_info=arguments.exc_value)
    os._exit(1)


if __name__ == "__main__":
    main()
