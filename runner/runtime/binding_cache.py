"""Cache of the flows that triggers run: read again when they change, wherever they were changed."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runner.model.action import source_digest
from runner.store import KeyRing, Store
from runner.store.attached_actions import Entity
from runner.store.database.notices import BINDINGS, MISSED
from runner.store.generations import generation
from runner.store.resolved_flow import BoundFlow, Pinned, Reader
from sandbox.core.program import Source

_FRESH_SECONDS: Final = 0.5
"""A flow is compared with the database at most this often; changes of which this process hears make it
old at once."""
_HEARD_SECONDS: Final = 5.0
"""The same while other processes' changes are heard."""
_KEPT: Final = 2_000
_UNKNOWN: Final = -1
_NEVER: Final = float("-inf")
_Key = tuple[str, str, Entity | None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A flow as it was read at a moment, with the generation that it had then."""

    generation: int
    read_at: float
    flow: BoundFlow


class BindingCache:
    """Bound flows by tenant and trigger. Safe between threads."""

    def __init__(
        self,
        store: Store,
        ring: Callable[[], KeyRing],
        monotonic: Callable[[], float] = time.monotonic,
        release: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        """`release`: gets the digests (`source_digest`) of versions that no flow runs any more; from any
        thread."""
        self._store = store
        self._ring = ring
        self._monotonic = monotonic
        self._release = release
        self._lock = threading.Lock()
        self._drops = 0
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._pinned: OrderedDict[tuple[str, ...], tuple[int, Pinned]] = OrderedDict()
        store.listen(BINDINGS, lambda notice: self._drop(notice.tenant, notice.key))
        store.listen(MISSED, lambda _: self._doubt())

    def peek(self, tenant: str, trigger: str, entity: Entity | None = None) -> BoundFlow | None:
        """The flow, when one is at hand that need not be looked at again; never blocks."""
        with self._lock:
            kept = self._kept.get((tenant, trigger, entity))
            return kept.flow if kept is not None and self._is_fresh(kept) else None

    def get(self, tenant: str, trigger: str, entity: Entity | None = None) -> BoundFlow:
        """The flow; may read the database."""
        key = (tenant, trigger, entity)
        with self._lock:
            kept = self._kept.get(key)
            drops = self._drops
        if kept is not None and self._is_fresh(kept):
            return kept.flow
        read_at = self._monotonic()
        with self._store.read() as session:
            number = generation(session, tenant, trigger)
            if kept is not None and kept.generation == number:
                flow = kept.flow
            else:
                reader = Reader(session, self._ring(), tenant)
                flow = reader.bound(trigger) if entity is None else reader.attached(trigger, entity)
        self._keep(key, _Kept(number, read_at, flow), drops)
        return flow

    def refresh(self, tenant: str, trigger: str) -> list[Source]:
        """Read what is known of a trigger again, if it changed, before somebody waits for it; the sources of
        what is rolled out there."""
        with self._lock:
            keys = [key for key in self._kept if key[:2] == (tenant, trigger)]
        flows = [self.get(*key) for key in keys]
        return [source for flow in flows for source in _rolled_out(flow)]

    def pinned(self, tenant: str, trigger: str, version_ids: Sequence[str]) -> Pinned:
        """See `Reader.pinned`. A version never changes; its Action may get another name, which makes the
        flows of `trigger` another generation. May read the database."""
        key = (tenant, *version_ids)
        with self._lock:
            number, made = self._pinned.get(key, (_UNKNOWN, None))
            flow = self._kept.get((tenant, trigger, None))
            if made is not None and flow is not None and flow.generation == number and self._is_fresh(flow):
                self._pinned.move_to_end(key)
                return made
        with self._store.read() as session:
            current = generation(session, tenant, trigger)
            if made is None or current != number:
                number, made = current, Reader(session, self._ring(), tenant).pinned(version_ids)
        with self._lock:
            self._pinned[key] = (number, made)
            self._pinned.move_to_end(key)
            while len(self._pinned) > _KEPT:
                self._pinned.popitem(last=False)
        return made

    def _keep(self, key: _Key, made: _Kept, drops: int) -> None:
        with self._lock:
            if drops != self._drops:
                return  # something changed while it was read: right for that caller, not for later ones
            old = self._kept.pop(key, None)
            # Requests choose the entity: what is not there must not push out what is.
            if key[2] is None or made.flow.actions:
                self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            gone = set() if old is None or old.flow is made.flow else self._unused(old.flow)
        if gone:
            self._release([source_digest(source) for source in gone])

    def _unused(self, flow: BoundFlow) -> set[Source]:
        sources = _sources(flow)
        for kept in self._kept.values():
            sources -= _sources(kept.flow)
        return sources

    def _drop(self, tenant: str, trigger: str) -> None:
        """Drop what is known of a trigger."""
        with self._lock:
            self._drops += 1
            for key, kept in self._kept.items():
                if key[:2] == (tenant, trigger):
                    self._kept[key] = _Kept(_UNKNOWN, _NEVER, kept.flow)

    def _doubt(self) -> None:
        """Any change may have been missed."""
        with self._lock:
            self._drops += 1
            for key, kept in self._kept.items():
                self._kept[key] = replace(kept, read_at=_NEVER)

    def _is_fresh(self, kept: _Kept) -> bool:
        age = self._monotonic() - kept.read_at
        return age < (_HEARD_SECONDS if self._store.hears else _FRESH_SECONDS)


def _rolled_out(flow: BoundFlow) -> list[Source]:
    return [*(candidate.action.source for candidate in flow.candidates), *flow.ahead]


def _sources(flow: BoundFlow) -> set[Source]:
    actions = [*flow.actions, *(candidate.action for candidate in flow.candidates)]
    found = {action.source for action in actions} | set(flow.ahead)
    return found | {action.last_good for action in actions if action.last_good is not None}
