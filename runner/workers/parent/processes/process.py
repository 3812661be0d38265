"""One worker process as the parent sees it: started, written to, read from, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from runner.workers.child import late_imports
from runner.workers.protocol.frames import Decoder, FrameError, encode
from runner.workers.protocol.messages import read
from sandbox.wasm.artefacts import cache_directory

_log: Final = logging.getLogger(__name__)
_TOLD_BYTES: Final = 8192
"""Of what a process wrote to its standard error: the end is kept."""
_REAP_SECONDS: Final = 10


class WorkerProcess(asyncio.Protocol):
    """Ends for good when the socket closes, for whatever reason; `lost` is then called once.

    Args:
        command: the process's arguments after the interpreter; the socket and our process id are added.
        received: gets each message with its body; a `FrameError` from it ends the process.
        lost: told that the process is gone.
    """

    def __init__(
        self,
        command: Sequence[str],
        received: Callable[[Any, bytes], None],
        lost: Callable[[], None],
    ) -> None:
        self._received = received
        self._lost = lost
        self._command = command
        self._decoder = Decoder()
        self._transport: asyncio.WriteTransport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._told = _Tail()
        self._pipe: asyncio.BaseTransport | None = None
        self._ending: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self.reason = ""
        """Why the parent ended it; empty when it ended by itself."""
        self.exit_status: int | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def told(self) -> str:
        """The end of what it wrote to standard error."""
        return self._told.text()

    async def start(self) -> None:
        """Start the process. Raises `OSError`, `sandbox.wasm.artefacts.UnsafeCacheError`."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        read_end, write_end = os.pipe()
        try:
            # From this thread, which lives as long as the loop: the child dies with the thread that made it.
            environment = {"ACTIONBOX_CACHE": str(cache_directory()), **late_imports.passed_on(os.environ)}
            self._process = spawn(self._command, theirs.fileno(), write_end, environment)
        finally:
            theirs.close()
            os.close(write_end)
        self._pipe, _ = await loop.connect_read_pipe(lambda: self._told, os.fdopen(read_end, "rb", 0))
        await loop.create_connection(lambda: self, sock=ours)

    def send(self, *frames: bytes) -> None:
        """Write frames; what is written to a process that is gone is dropped."""
        if frames and self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def tell(self, head: Mapping[str, Any], body: bytes = b"") -> None:
        """Write one message. Raises `UnsendableError`."""
        self.send(encode(head, body))

    def kill(self, reason: str) -> None:
        """End the process at once; `lost` follows."""
        self.reason = self.reason or reason
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Let the process go when it has read everything: it ends when the socket does."""
        if self._transport is not None:
            self._transport.abort()

    def resident_bytes(self) -> int:
        """Memory that the process has in RAM; 0 where that cannot be told."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self) -> float:
        """Processor time that the process has used; 0 where that cannot be told."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):
            return 0.0

    async def ended(self) -> None:
        """Wait until the process is gone and collected."""
        if self._transport is not None:
            await self._over.wait()

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`. Whoever breaks the protocol is ended."""
        try:
            for head, body in self._decoder.feed(data):
                self._received(read(head), body)
        except FrameError as error:
            _log.error("worker %d broke the protocol and is ended: %s", self.pid, error)
            self.kill("protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._ending = asyncio.get_running_loop().create_task(self._end())

    async def _end(self) -> None:
        process = self._process
        assert process is not None
        deadline = time.monotonic() + 1.0
        # It ends by itself when its socket closes; a process that does not is killed.
        while process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        if process.poll() is None:
            process.kill()
            await asyncio.to_thread(process.wait, _REAP_SECONDS)
        self.exit_status = process.returncode
        await asyncio.sleep(0)  # what it said last is read
        if self._pipe is not None:
            self._pipe.close()
        self._over.set()
        self._lost()


def spawn(
    command: Sequence[str], connection: int, errors: int, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Our interpreter with `command`, the descriptor of its socket and our process id. Raises `OSError`."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *command, str(connection), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        pass_fds=(connection,),
        env=dict(environment),
        cwd="/",
        process_group=0,  # a Ctrl-C at the terminal is for the parent, which ends us in order
    )


class _Tail(asyncio.Protocol):
    """Keeps the end of what is written."""

    def __init__(self) -> None:
        self._kept = b""

    def data_received(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-_TOLD_BYTES:]

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace").strip()
