"""The same request sent again gets the first answer, and runs nothing (threat-model F4)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from runner.store import KeyRing, Store
from runner.store.sealed.answers import open_answer, seal_answer
from runner.store.tables.columns import now
from runner.store.tables.runs import IdempotencyRow

KEPT: Final = timedelta(hours=24)
MAX_KEY: Final = 255
"""Characters of a key."""


class KeyReusedError(Exception):
    """The key came with another body before."""


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A status and a JSON text."""

    status: int
    text: str


@dataclass(slots=True)
class Slot:
    """One request with a key, while it is being answered."""

    tenant: str
    key: str
    digest: str
    done: asyncio.Future[StoredResponse | None] = field(repr=False)


class Idempotency:
    """Answers by tenant and key. For one event loop; over replicas, whoever commits first has answered."""

    def __init__(self, store: Store, ring: Callable[[], KeyRing]) -> None:
        self._store = store
        self._ring = ring
        self._running: dict[tuple[str, str], Slot] = {}

    async def begin(self, tenant: str, path: str, key: str, body: bytes) -> Slot | StoredResponse:
        """The answer that was given before; or the slot of a first request, to be settled or abandoned.

        Raises:
            KeyReusedError: see there.
        """
        name = hashlib.sha256(f"{path}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()
        digest = hashlib.sha256(body).hexdigest()
        while (running := self._running.get((tenant, name))) is not None:
            _same(running.digest, digest)
            answer = await asyncio.shield(running.done)
            if answer is not None:
                return answer
        slot = Slot(tenant, name, digest, asyncio.get_running_loop().create_future())
        self._running[(tenant, name)] = slot
        try:
            answer = await asyncio.to_thread(self.find, slot)
        except BaseException:
            self.abandon(slot)
            raise
        if answer is None:
            return slot
        self.settle(slot, answer)
        return answer

    def find(self, slot: Slot) -> StoredResponse | None:
        """The answer stored for the slot's key. Raises `KeyReusedError`."""
        with self._store.read() as session:
            row = session.get(IdempotencyRow, (slot.tenant, slot.key))
        if row is None or row.expires_at < now():
            return None
        _same(row.digest, slot.digest)
        return StoredResponse(row.status, open_answer(self._ring(), row))

    def keep(self, session: Session, slot: Slot, answer: StoredResponse) -> None:
        """Store the answer, sealed because it may hold the handle of a suspended flow, in the transaction
        that stores what it tells. The row's key refuses a second answer."""
        old = session.get(IdempotencyRow, (slot.tenant, slot.key))
        if old is not None and old.expires_at < now():
            session.delete(old)
            session.flush()
        row = IdempotencyRow(
            tenant_id=slot.tenant,
            key=slot.key,
            digest=slot.digest,
            status=answer.status,
            expires_at=now() + KEPT,
        )
        seal_answer(self._ring(), row, answer.text)
        session.add(row)

    def settle(self, slot: Slot, answer: StoredResponse) -> None:
        """The request was answered: those that came meanwhile get the same."""
        self._end(slot, answer)

    def abandon(self, slot: Slot) -> None:
        """The request was not answered: the next one with its key begins anew."""
        self._end(slot, None)

    def _end(self, slot: Slot, answer: StoredResponse | None) -> None:
        self._running.pop((slot.tenant, slot.key), None)
        if not slot.done.done():
            slot.done.set_result(answer)


def _same(stored: str, digest: str) -> None:
    if stored != digest:
        raise KeyReusedError
