"""Fidelity stamps of stored records, made one at a time while nothing else is to be done.

A stamp is a help and no promise: what comes faster than it can be stamped is left without one, and so is what
waited when the service stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from sqlalchemy import update

from runner.model.action import Action
from runner.model.secret_names import flattened
from runner.privacy.fidelity import Fidelity
from runner.records.forms import PSEUDONYMS
from runner.records.states import KEPT, WAITS
from runner.records.store import DamagedRecordError, RecordStore
from runner.records.subjects import tenant_key
from runner.records.writing import NewLeg
from runner.replay.record import FlowRecord
from runner.store import KeyRing, SealError, Store
from runner.store.resolved_flow import Reader
from runner.store.tables.records import RecordRow

_log: Final = structlog.get_logger("actionbox.records")
_MOST: Final = 256
_LOOK_SECONDS: Final = 0.25
_BUSY_SECONDS: Final = 5.0
"""Between two stamps while the service has other things to do."""
_TRIES: Final = 3
"""Of one stamp, when there was no worker to make it or its worker died of something else."""

Secrets = Mapping[str, Mapping[str, str]]
Make = Callable[[str, FlowRecord, bytes, Secrets], Awaitable[Fidelity | None]]
"""Makes the stamp of a tenant's record, with its key and the secrets by digest of Action; None when that was
not possible."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    tenant: str
    execution_id: str
    leg: int
    secrets: Secrets = field(repr=False)
    tries: int = 0


class Stamper:
    """Args:
    make: see `Make`.
    busy: whether legs wait, run, or have run since this was asked last. Then only now and then a stamp is
        made, and another one only after a while.
    """

    def __init__(
        self, store: Store, ring: Callable[[], KeyRing], make: Make, busy: Callable[[], bool]
    ) -> None:
        self._store, self._ring, self._make, self._busy = store, ring, make, busy
        self._records = RecordStore(store, ring)
        self._waiting: deque[_Waiting] = deque(maxlen=_MOST)
        self._lock = threading.Lock()

    def stored(self, item: NewLeg) -> None:
        """A leg was stored. From any thread; of many, the newest are stamped."""
        if item.state.state not in KEPT and item.state.state != WAITS:
            return
        secrets = {
            action.digest: action.every_secret for action in item.actions if isinstance(action, Action)
        }
        with self._lock:
            self._waiting.append(_Waiting(item.tenant, item.execution_id, item.leg, secrets))

    async def run(self, stopping: asyncio.Event) -> None:
        """Stamp what was stored, until `stopping`."""
        last = 0.0
        while not stopping.is_set():
            waiting = self._next(last)
            if waiting is not None:
                last = time.monotonic()
                try:
                    await self._stamp(waiting)
                except (DamagedRecordError, SealError) as error:
                    _log.warning("a record could not be stamped", tenant=waiting.tenant, reason=str(error))
                except Exception:  # noqa: BLE001 - the next one may be stamped
                    _log.exception("a record could not be stamped")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_SECONDS)

    def _next(self, last: float) -> _Waiting | None:
        busy = self._busy() and time.monotonic() - last < _BUSY_SECONDS
        with self._lock:
            return None if busy or not self._waiting else self._waiting.pop()

    async def _stamp(self, waiting: _Waiting) -> None:
        found = await asyncio.to_thread(self._read, waiting)
        if found is None:
            return
        record, key, secrets = found
        made = await self._make(waiting.tenant, record, key, secrets)
        if made is not None:
            await asyncio.to_thread(self._write, waiting, made)
        elif waiting.tries + 1 < _TRIES:
            with self._lock:
                if len(self._waiting) < _MOST:  # behind all others
                    self._waiting.appendleft(replace(waiting, tries=waiting.tries + 1))

    def _read(self, waiting: _Waiting) -> tuple[FlowRecord, bytes, Secrets] | None:
        record = self._records.leg(waiting.tenant, waiting.execution_id, waiting.leg)
        if record is None:
            return None
        key = tenant_key(self._store, self._ring(), waiting.tenant, PSEUDONYMS)
        return record, key, {**self._secrets(waiting, record), **waiting.secrets}

    def _secrets(self, waiting: _Waiting, record: FlowRecord) -> Secrets:
        """Those of a resumed leg's Actions: it was stored without."""
        versions = record.context.versions if record.context is not None else ()
        wanted = {
            action.digest: version.version_id
            for action, version in zip(record.actions, versions, strict=False)
            if action.wanted and action.digest not in waiting.secrets
        }
        if not wanted:
            return {}
        with self._store.read() as session:
            pinned = Reader(session, self._ring(), waiting.tenant).pinned(list(wanted.values()))
        return {digest: flattened(values) for digest, values in zip(wanted, pinned.secrets, strict=True)}

    def _write(self, waiting: _Waiting, made: Fidelity) -> None:
        with self._store.begin() as session:
            session.execute(
                update(RecordRow)
                .where(
                    RecordRow.tenant_id == waiting.tenant,
                    RecordRow.execution_id == waiting.execution_id,
                    RecordRow.leg == waiting.leg,
                    RecordRow.gone.is_(None),
                )
                .values(fidelity=made.model_dump(mode="json"))
            )
