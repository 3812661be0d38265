"""Reads the bindings of changed triggers again at once, so that old programs go and no login waits; has what
is rolled out there in every worker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from runner.runtime.binding_cache import BindingCache
from runner.store import SealError, Store
from runner.store.database.notices import BINDINGS, Notice
from sandbox.core.program import Source

_log: Final = structlog.get_logger("actionbox.refresh")


class Refresher:
    """For one event loop. `warm`: has the programs of a tenant's sources made."""

    def __init__(
        self,
        store: Store,
        bindings: BindingCache,
        warm: Callable[[str, Sequence[Source]], Coroutine[Any, Any, None]],
    ) -> None:
        self._bindings = bindings
        self._warm = warm
        self._warming: set[asyncio.Task[None]] = set()
        self._changed: dict[Notice, None] = {}
        self._some = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        store.listen(BINDINGS, self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        self._loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                waiting = asyncio.create_task(self._some.wait())
                await asyncio.wait([waiting, stopping], return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                self._some.clear()
                while self._changed and not stop.is_set():
                    notice = next(iter(self._changed))
                    del self._changed[notice]
                    await self._refresh(notice)
        finally:
            self._loop = None
            stopping.cancel()
            for task in self._warming:
                task.cancel()

    async def _refresh(self, notice: Notice) -> None:
        try:
            sources = await asyncio.to_thread(self._bindings.refresh, notice.tenant, notice.key)
            if sources:  # other changes do not wait for it
                task = asyncio.create_task(self._warm(notice.tenant, sources))
                self._warming.add(task)
                task.add_done_callback(self._warming.discard)
        except SealError as error:
            _log.error(
                "a changed trigger was not read", tenant=notice.tenant, trigger=notice.key, reason=str(error)
            )
        except Exception:  # noqa: BLE001 - the next login reads it
            _log.exception("a changed trigger was not read", tenant=notice.tenant, trigger=notice.key)

    def _heard(self, notice: Notice) -> None:
        """From any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed in this moment
                self._loop.call_soon_threadsafe(self._add, notice)

    def _add(self, notice: Notice) -> None:
        self._changed[notice] = None
        self._some.set()
