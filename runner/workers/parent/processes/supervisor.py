"""Keeps the workers there: starts them, notices when one is dead, late, silent or worn, and replaces it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from runner.workers.child.main import IMAGES_MISSING
from runner.workers.parent.pending_call import PendingCall
from runner.workers.parent.processes.worker import DRAINING, READY, STARTING, Worker
from runner.workers.parent.requests import WorkerStartError
from runner.workers.parent.settings import PoolSettings
from sandbox import SetUpError

_log: Final = logging.getLogger(__name__)
_SWEEP_SECONDS: Final = 0.25
_PING_SECONDS: Final = 1.0
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 10.0
_SETTLED_SECONDS: Final = 10.0
"""A worker that lived so long before it died is replaced at once."""
_LEAVE_SECONDS: Final = 2.0


class Supervisor:
    """Args:
    on_message, on_ready: see `Worker`.
    on_lost: gets a dead worker, with what it ran still in it.
    on_sweep: called a few times a second.
    """

    def __init__(
        self,
        settings: PoolSettings,
        on_message: Callable[[Worker, Any, bytes], None],
        on_ready: Callable[[], None],
        on_lost: Callable[[Worker], None],
        on_sweep: Callable[[float], None],
    ) -> None:
        self._settings = settings
        self._on_message = on_message
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._on_sweep = on_sweep
        self.workers: list[Worker] = []
        self.restarts: Counter[str] = Counter()
        self.recycled = 0
        self._backoff = _FIRST_BACKOFF
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._stopping = False
        self._failed: Worker | None = None
        self._outgoing: Worker | None = None
        self._watching: asyncio.Task[None] | None = None
        self._ping_at = 0.0

    async def start(self) -> None:
        """Start every worker and wait until all are ready. Raises `WorkerStartError`."""
        await self._start_all()
        if self._failed is not None and _lacks_images(self._failed):
            await asyncio.to_thread(_build_images)
            self._failed = None
            await self._start_all()
        if self._failed is not None:
            problem = _why(self._failed)
            await self.stop()
            raise WorkerStartError(problem)
        self._watching = asyncio.create_task(self._watch())

    async def _start_all(self) -> None:
        for _ in range(self._settings.workers - len(self.workers)):
            await self._add()
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                while self._failed is None and any(item.state != READY for item in self.workers):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self._failed = next(item for item in self.workers if item.state != READY)

    async def _add(self) -> None:
        worker = Worker(self._settings, self._on_message, self._ready, self._lost)
        try:
            await worker.process.start()
        except (OSError, SetUpError) as error:
            raise WorkerStartError(f"A worker process cannot be started: {error}") from error
        self.workers.append(worker)

    async def stop(self) -> None:
        """End every worker."""
        self._stopping = True
        for task in (self._watching, *self._tasks):
            if task is not None:
                task.cancel()
        for worker in list(self.workers):
            worker.process.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS + 10):
                for worker in list(self.workers):
                    await worker.process.ended()

    # --- what happens to workers ---

    def _ready(self, worker: Worker) -> None:
        missing = sorted(name for name, held in worker.rights.items() if not held)
        if missing:
            _log.warning("worker %d runs without: %s", worker.process.pid, ", ".join(missing))
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is not None and outgoing.state == READY:
            outgoing.state = DRAINING
        self._changed.set()
        self._on_ready()

    def _lost(self, worker: Worker) -> None:
        self.workers.remove(worker)
        starting = worker.state == STARTING
        if starting:
            self._failed = worker
        if not self._stopping and worker.state != DRAINING and self._watching is not None:
            reason = worker.process.reason or "died"
            self.restarts[reason] += 1
            _log.error("worker %d is gone (%s): %s", worker.process.pid, reason, _why(worker))
            if worker is self._outgoing:
                self._outgoing = None  # its successor is on its way
                self._changed.set()
                self._on_lost(worker)
                return
            lived = time.monotonic() - worker.started_at
            if not starting and lived > _SETTLED_SECONDS:
                self._backoff = _FIRST_BACKOFF
            self._later(self._replace(self._backoff, images=_lacks_images(worker)))
            self._backoff = min(self._backoff * 2, _LONGEST_BACKOFF)
        self._changed.set()
        self._on_lost(worker)

    async def _replace(self, after: float, *, images: bool = False) -> None:
        await asyncio.sleep(after)
        try:
            if images:
                await asyncio.to_thread(_build_images)
            await self._add()
        except WorkerStartError as error:
            _log.error("%s", error)
            self._later(self._replace(_LONGEST_BACKOFF))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                self._sweep(time.monotonic())
            except Exception:  # noqa: BLE001 - supervision must go on
                _log.exception("a sweep over the workers failed")

    def _sweep(self, now: float) -> None:
        pinging = now >= self._ping_at
        if pinging:
            self._ping_at = now + _PING_SECONDS
        for worker in list(self.workers):
            if worker.late(now):
                worker.process.kill("late")
            elif worker.state == STARTING:
                if now - worker.started_at > self._settings.start_seconds:
                    worker.process.kill("start")
            elif worker.silent_seconds(now) > self._settings.hang_seconds:
                worker.process.kill("hung")
            elif pinging:
                worker.ping()
        if pinging:
            self._recycle()
        self._on_sweep(now)

    def _recycle(self) -> None:
        """Replace one worn worker at a time: it works until its successor is ready, and ends what it runs."""
        for worker in self.workers:
            if worker.state == DRAINING and not worker.pending and not worker.recording:
                worker.process.close()
        if self._outgoing is not None or any(worker.state != READY for worker in self.workers):
            return
        worn = next((worker for worker in self.workers if worker.worn()), None)
        if worn is not None:
            self.recycled += 1
            self._outgoing = worn
            self._later(self._replace(0.0))


def _lacks_images(worker: Worker) -> bool:
    """Whether a worker ended because the cache has no images."""
    return worker.process.exit_status == IMAGES_MISSING


def is_late(call: PendingCall) -> bool:
    """Whether a leg's worker should have answered by now."""
    return call.deadline < time.monotonic()


def _why(worker: Worker) -> str:
    process = worker.process
    said = f"; it said: {process.told}" if process.told else ""
    status = process.exit_status
    if status is None:
        return f"A worker did not start in time{said}"
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    return f"A worker process ended with {ended}{said}"


_BUILD: Final = """
import sys, sandbox
try:
    sandbox.build_images()
except (sandbox.SetUpError, OSError) as error:
    sys.exit(str(error))
"""
"""What is wrong with the machine is told in a sentence, anything else with its stack."""


def _build_images() -> None:
    """Build the guest images in a process of its own, which needs more rights than a worker has and sees no
    tenant. Raises `WorkerStartError`."""
    command = [sys.executable, "-c", _BUILD]
    _log.warning("building the guest images, once; this takes a minute or two")
    done = subprocess.run(  # noqa: S603 - our own interpreter
        command, env=os.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-2000:]
        raise WorkerStartError(f"The guest images cannot be built: {said or done.returncode}")
