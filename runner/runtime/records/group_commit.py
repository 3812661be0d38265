"""Writing without a transaction for each request: what comes in together is committed together."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Insert
from sqlalchemy.orm import Session

from runner.store import Store
from runner.store.database.faults import is_unavailable

Change = Callable[[Session], None]
"""Part of a transaction. May be run twice: alone, when the transaction it was part of failed."""
Rows = Mapping[Insert, Sequence[Mapping[str, Any]]]
"""Rows for each statement, which takes those of all changes of a transaction at once."""
_MOST: Final = 256
"""Changes of one transaction."""
_SPACING_SECONDS: Final = 0.005
"""From the begin of one transaction to that of the next, while more changes are expected: each costs half a
millisecond of processor time, whatever is in it, and answers of a busy service come a millisecond apart."""


@dataclass(slots=True)
class _Waiting:
    change: Change | None
    rows: Rows
    done: asyncio.Future[None] = field(repr=False)


_Batch = tuple[asyncio.AbstractEventLoop, list[_Waiting]]


class GroupCommit:
    """Commits changes of many requests in one transaction, so that they share its wait for the disk.

    For one event loop. The first change after a pause starts a transaction at once, and so does the last one
    that is expected; those that arrive meanwhile make the next one. The thread is its own: a login would else
    wait for one of those in which jobs wait for their turn to write.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._expected = 0
        self._handing: asyncio.Handle | None = None
        self._writing = False
        self._next = 0.0
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """The block comes to a change soon: others may wait for it a little."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1
            self._begin()

    async def write(self, change: Change | None, rows: Rows | None = None) -> None:
        """Insert `rows` and make `change`, if there is one; on disk when this returns. Raises what they or
        the database raise."""
        waiting = _Waiting(change, rows or {}, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._begin()
        await waiting.done

    async def drain(self) -> None:
        """Returns when nothing waits any more, and lets the thread go; a later change starts another one."""
        while self._waiting or self._writing:
            await asyncio.sleep(0.001)
        if self._thread is not None:
            self._thread = None
            self._batches.put(None)

    # --- on the event loop ---

    def _begin(self) -> None:
        """Start the next transaction unless one runs: with all that comes in this turn of the loop, or after
        a pause."""
        if self._writing or not self._waiting:
            return
        loop, pause = asyncio.get_running_loop(), self._next - time.monotonic()
        if self._expected and pause > 0:
            if self._handing is None:
                self._handing = loop.call_later(pause, self._hand)
        elif self._handing is None or isinstance(self._handing, asyncio.TimerHandle):
            self._stop_waiting()
            self._handing = loop.call_soon(self._hand)

    def _stop_waiting(self) -> None:
        if self._handing is not None:
            self._handing.cancel()
            self._handing = None

    def _hand(self) -> None:
        self._stop_waiting()
        batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        self._next = time.monotonic() + _SPACING_SECONDS
        self._writing = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="actionbox-commit", daemon=True)
            self._thread.start()
        self._batches.put((asyncio.get_running_loop(), batch))

    def _settle(self, batch: list[_Waiting], results: list[Exception | None]) -> None:
        self._writing = False
        for item, result in zip(batch, results, strict=True):
            if item.done.cancelled():
                continue
            if result is None:
                item.done.set_result(None)
            else:
                item.done.set_exception(result)
        self._begin()

    # --- in the thread ---

    def _work(self) -> None:
        while (handed := self._batches.get()) is not None:
            loop, batch = handed
            results = self._commit(batch)
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                loop.call_soon_threadsafe(self._settle, batch, results)

    def _commit(self, batch: list[_Waiting]) -> list[Exception | None]:
        """All in one transaction; when one of them fails it, each in one of its own, so that a bad change
        spoils no other. Not when the database is what failed: the transaction may have been committed before
        the connection broke, and none of them may be done twice."""
        try:
            rows, changes = _together(batch), [item.change for item in batch if item.change is not None]
            if not changes:
                self._store.insert(rows)
                return [None] * len(batch)
            with self._store.begin(urgent=True) as session:
                for statement, found in rows.items():
                    session.connection().execute(statement, found)
                for change in changes:
                    change(session)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(batch) == 1 or is_unavailable(error):
                return [error] * len(batch)
        else:
            return [None] * len(batch)
        return [self._commit([item])[0] for item in batch]


def all_of(changes: Sequence[Change | None]) -> Change | None:
    """All that are there, in their order; None of none."""
    found = [change for change in changes if change is not None]
    if not found:
        return None

    def change(session: Session) -> None:
        for part in found:
            part(session)

    return change


def _together(batch: list[_Waiting]) -> dict[Insert, list[Mapping[str, Any]]]:
    rows: dict[Insert, list[Mapping[str, Any]]] = {}
    for item in batch:
        for statement, added in item.rows.items():
            if added:
                rows.setdefault(statement, []).extend(added)
    return rows
