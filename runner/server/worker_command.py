"""`actionbox worker`: asynchronous triggers without sockets, beside any number of others on one database."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType

from runner.admin.setup import open_service_keys, open_store
from runner.config.settings import ServiceSettings
from runner.server.composition import Plane
from runner.server.logs import configure_logs, say
from runner.server.serve import serve_metrics
from runner.server.signals import in_order
from sandbox.core.garbage import settle


def work(settings: ServiceSettings) -> None:
    """Run jobs until SIGINT or SIGTERM; then what runs is finished, and what is not begun stays for others.

    Raises:
        InputError: the database or the key ring cannot be used.
    """
    with in_order() as told:
        _work(settings, told)


def _work(settings: ServiceSettings, told: threading.Event) -> None:
    configure_logs(settings.log_level, settings.log_format)
    settings = settings.model_copy(update={"run_jobs": True})
    store = open_store(settings)
    try:
        plane = Plane.of(settings, store, open_service_keys(settings, store))
        serve_metrics(settings, plane.metrics)
        asyncio.run(_run(plane, told))
    finally:
        store.close()


async def _run(plane: Plane, told: threading.Event) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(_number: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Not the loop's own way: when it closes, it lets the next signal kill the process.
        signal.signal(number, end)
    if told.is_set():  # before we had the signals
        return
    async with plane.running():
        settle()
        say("actionbox worker: ready\n")
        await stop.wait()
