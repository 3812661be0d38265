"""The parent's answers to workers: cache, directory, and whether a flow may resume."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from runner.model.errors import ResumeError
from runner.suspension.stores import SuspensionStore
from runner.workers.parent.pending_call import PendingCall
from runner.workers.protocol.messages import CacheAsk, DirectoryAsk
from triggers import CacheStore, Directory
from triggers.api.cache import MAX_RECORDS, MAX_TOTAL_BYTES
from triggers.engine.services import CacheRecord

_log: Final = logging.getLogger(__name__)
_IDS: Final = TypeAdapter(tuple[str, str | None])
"""The body of a `DirectoryAsk`."""
_SECONDS: Final = 5.0
"""Longest answer of a store."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Sources of the answers; called in threads, because they may block.

    Attributes:
        directory: gives the directory of a tenant.
    """

    suspended: SuspensionStore
    caches: Callable[[str, str], CacheStore]
    directory: Callable[[str], Directory]

    async def answer(self, call: PendingCall, ask: Any, body: bytes) -> dict[str, Any]:
        """`{"ok": ...}`, or `{"error": ...}` that tells nothing of a fault of ours. Never raises."""
        try:
            async with asyncio.timeout(_SECONDS):
                return {"ok": await asyncio.to_thread(self._found, call, ask, body)}
        except Exception:  # noqa: BLE001 - the worker waits
            _log.exception("a worker's question could not be answered")
            return {"error": "the host could not answer"}

    def _found(self, call: PendingCall, ask: Any, body: bytes) -> Any:
        if isinstance(ask, CacheAsk):
            assert call.trigger is not None
            return _cached(self.caches(call.tenant, call.trigger.id), ask)
        if isinstance(ask, DirectoryAsk):
            return _looked_up(self.directory(call.tenant), ask, *_IDS.validate_json(body))
        return self._taken(call.store_key)

    def _taken(self, key: str) -> Any:
        try:
            self.suspended.take(key)
        except ResumeError as error:
            return {"code": error.code, "message": error.message, "next_step": error.next_step}
        return None


def _cached(cache: CacheStore, ask: CacheAsk) -> Any:
    if ask.op == "get":
        found = cache.get(ask.key, ask.now)
        return None if found is None else {"value": found.value, "expires_at": found.expires_at}
    if ask.op == "delete":
        return cache.delete(ask.key, ask.now)
    if ask.op == "usage":
        return cache.usage(ask.now)
    # The worker has checked this. It may be taken over, and then this keeps the cache small.
    count, size = cache.usage(ask.now)
    if count > MAX_RECORDS or size > MAX_TOTAL_BYTES:
        raise ValueError("a worker fills the cache beyond its bounds")
    cache.set(ask.key, CacheRecord(ask.value, ask.expires_at), ask.now)
    return True


def _looked_up(directory: Directory, ask: DirectoryAsk, subject: str, organization: str | None) -> Any:
    if ask.op == "groups":
        return list(directory.groups(subject))
    if ask.op == "roles":
        return list(directory.roles(subject, organization))
    return directory.group_type(subject)
