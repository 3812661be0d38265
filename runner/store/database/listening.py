"""Hearing what other processes on the same PostgreSQL tell: its notifications, on a connection of our own.

The connection also holds a lock that says that this process lives: PostgreSQL drops it the moment the process
is gone, on whatever machine it was (`runner.store.database.process`).
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import structlog
from psycopg import AsyncConnection

from runner.store.database.engine import Store
from runner.store.database.notices import CHANNEL, MISSED, Notice, parse, payload
from runner.store.database.process import CLASS, lock_of, process

_log: Final = structlog.get_logger("actionbox.listening")
_PROOF_SECONDS: Final = 5.0
"""How often we send ourselves something; a connection that does not bring it back has been lost."""
_ANSWER_SECONDS: Final = 5.0
_OURS: Final = {"autocommit": True, "client_encoding": "utf8", "application_name": "actionbox listens"}
_PAUSES: Final = (0.1, 0.5, 1.0)
"""Seconds before the first new connection, the second, and each further one."""


class LostError(Exception):
    """The connection does not bring what is sent."""


class Listening:
    """Tells the listeners of a store what other processes commit. For one event loop."""

    def __init__(self, store: Store) -> None:
        """`store`: on PostgreSQL."""
        self._store = store
        _, given = store.engine.dialect.create_connect_args(store.engine.url)
        self._arguments: dict[str, Any] = {**given, **_OURS}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; connects again whenever the connection is lost."""
        listening = asyncio.create_task(self._forever())
        try:
            await stop.wait()
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            self._store.hears = False

    async def _forever(self) -> None:
        tries = 0
        while True:
            try:
                async with await self._connect() as connection:
                    await self._listen(connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                tries = 0 if self._store.hears else tries
                if tries == 0:
                    reason = str(error).strip() or type(error).__name__
                    _log.warning("notices of other processes are not heard", reason=reason)
            finally:
                self._store.hears = False
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    async def _connect(self) -> AsyncConnection[tuple[object, ...]]:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await AsyncConnection.connect(**self._arguments)

    async def _listen(self, connection: AsyncConnection[tuple[object, ...]]) -> None:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await connection.execute(f"listen {CHANNEL}".encode())
            lock = "select pg_advisory_lock_shared(%s, %s)"
            await connection.execute(lock, (CLASS, lock_of(process())))
        while True:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await connection.execute("select pg_notify(%s, %s)", (CHANNEL, payload(self._store.token)))
            proven = False
            async for notification in connection.notifies(timeout=_PROOF_SECONDS):
                proven = self._receive(notification.payload) or proven
            if not proven:
                raise LostError("what was sent did not come back; does a pooler stand in between?")

    def _receive(self, text: str) -> bool:
        """Whether it is our own proof that the connection works."""
        try:
            sender, notice = parse(text)
        except ValueError:
            return False
        if sender != self._store.token:
            if notice is not None:
                self._store.tell(notice, elsewhere=True)
            return False
        if notice is None and not self._store.hears:
            self._store.tell(Notice(MISSED), elsewhere=True)
            self._store.hears = True
        return notice is None
