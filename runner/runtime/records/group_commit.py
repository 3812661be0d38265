"""Writing without a transaction for each request: what comes in together is committed together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from runner.store import Store
from runner.store.database.faults import is_unavailable

Change = Callable[[Session], None]
"""Part of a transaction. May be run twice: alone, when the transaction it was part of failed."""
_MOST: Final = 256
"""Changes of one transaction."""
_SPACING_SECONDS: Final = 0.002
"""From the begin of one transaction to that of the next: each costs half a millisecond of processor time,
whatever is in it, and answers of a busy service come a millisecond apart."""


@dataclass(slots=True)
class _Waiting:
    change: Change
    done: asyncio.Future[None] = field(repr=False)


class GroupCommit:
    """Commits changes of many requests in one transaction, so that they share its wait for the disk.

    For one event loop. The first change after a pause starts a transaction at once; those that arrive
    meanwhile make the next one. The thread is its own: a login would else wait for one of those in which jobs
    wait for their turn to write.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="actionbox-commit")

    async def write(self, change: Change) -> None:
        """Returns when `change` is on disk. Raises what `change` or the database raises."""
        waiting = _Waiting(change, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await asyncio.shield(waiting.done)

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._next - time.monotonic())
                self._next = time.monotonic() + _SPACING_SECONDS
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                results = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._commit, [item.change for item in batch]
                )
                for item, result in zip(batch, results, strict=True):
                    if item.done.cancelled():
                        continue
                    if result is None:
                        item.done.set_result(None)
                    else:
                        item.done.set_exception(result)
        finally:
            self._task = None

    def _commit(self, changes: list[Change]) -> list[Exception | None]:
        """All in one transaction; when one of them fails it, each in one of its own, so that a bad change
        spoils no other. Not when the database is what failed: the transaction may have been committed before
        the connection broke, and none of them may be done twice."""
        try:
            with self._store.begin(urgent=True) as session:
                for change in changes:
                    change(session)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(changes) == 1 or is_unavailable(error):
                return [error] * len(changes)
        else:
            return [None] * len(changes)
        return [self._commit([change])[0] for change in changes]
