"""Records on their way into the database: legs, and what becomes of the legs of a flow that was suspended."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from runner.model.action import Action, with_unique_names
from runner.records.compression import compress, words_of
from runner.records.policy import days_of
from runner.records.states import KEPT, WAITS, RecordState
from runner.records.subjects import subject_hash
from runner.replay.record import LegContext
from runner.store import KeyRing
from runner.store.database.upsert import insert_or_keep, insert_or_keep_all
from runner.store.sealed.records import seal_record
from runner.store.tables.columns import new_id
from runner.store.tables.models import Tenant
from runner.store.tables.records import RecordFlowRow, RecordRow, RecordSubjectRow, RecordWordsRow
from runner.store.tables.runs import ExecutionRow
from runner.suspension.stores import PinnedAction

CONTEXT: Final = "service"
"""Member of a stored leg that holds what the service knows beside."""
_REMEMBERED: Final = 256
FLOW_TOUCHED: Final = timedelta(hours=1)
"""A flow's row is written again after this time while records are made of it."""
_LEGS: Final = insert(RecordRow)
_WAITING_SLACK: Final = timedelta(hours=1)
"""Longer than its flow may wait does a leg stay: a resume in the last moment is still to be recorded."""


@dataclass(frozen=True, slots=True)
class NewLeg:
    """The record of a leg, to be stored.

    Attributes:
        text: JSON of its `FlowRecord` as a worker sent it: without Actions and digests.
        context: what the service knows beside.
        actions: of its flow.
        subjects: ids of the users that it is about.
        waits_until: of a suspended flow.
    """

    tenant: str
    execution_id: str
    trigger: str
    leg: int
    decision: str
    state: RecordState
    at: datetime
    text: bytes = field(repr=False)
    context: LegContext = field(repr=False)
    actions: tuple[Action | PinnedAction, ...] = field(repr=False)
    subjects: tuple[str, ...] = field(repr=False)
    waits_until: datetime | None = None

    @property
    def bytes(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """The end of a flow that was suspended, and of which no further leg is stored: its earlier legs stay, for
    this reason, or go."""

    tenant: str
    execution_id: str
    state: RecordState
    at: datetime
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Lost:
    """An execution that was to be kept and has no record: what its row is to say."""

    tenant: str
    execution_id: str
    state: RecordState
    bytes: int = 0


Item = NewLeg | FlowEnd | Lost


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item, and of a leg the columns of its row, but for when it expires. `subjects`: hashes."""

    item: Item
    columns: dict[str, Any] = field(default_factory=dict, repr=False)
    subjects: tuple[str, ...] = ()
    flow: bytes = field(default=b"", repr=False)


class RecordWriter:
    """Writes batches of items, each in the caller's transaction. For one thread.

    Args:
        ring: gives the keys that are in force now.
        key: gives a tenant's key for hashes of subjects.
        days: how long records stay; a tenant may have chosen less.
    """

    def __init__(self, ring: Callable[[], KeyRing], key: Callable[[str], bytes], days: float) -> None:
        self._ring = ring
        self._key = key
        self._days = days
        self._flows: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._digests: OrderedDict[tuple[int, ...], tuple[Any, str, bytes]] = OrderedDict()
        self._words: set[str] = set()

    def prepare(self, batch: Sequence[Item]) -> list[Prepared]:
        """Compress and seal what is in `batch`, before a transaction holds up others. Raises `SealError`."""
        ring = self._ring()
        return [self._leg(ring, item) if isinstance(item, NewLeg) else Prepared(item) for item in batch]

    def write(self, session: Session, batch: Sequence[Prepared]) -> Counter[str]:
        """Write all of `batch`, in order; bytes that were added, by tenant. Raises as the database does."""
        kept = {tenant: self._kept(session, tenant) for tenant in {found.item.tenant for found in batch}}
        added: Counter[str] = Counter()
        rows = _Rows(session)
        for found in batch:
            item, days = found.item, kept[found.item.tenant]
            if days is None:
                continue  # the tenant was removed meanwhile
            if isinstance(item, Lost):
                _note(session, item)
                continue
            expires_at = item.at + days
            if isinstance(item, NewLeg):
                if item.state.state == WAITS:
                    expires_at = (item.waits_until or item.at) + _WAITING_SLACK
                self._once(session, found, item)
                rows.add(found, item, expires_at)
                added[item.tenant] += found.columns["bytes"]
            if isinstance(item, FlowEnd) or item.leg > 1:
                rows.write()
                _settle(session, item, days, expires_at)
        rows.write()
        return added

    def forget(self) -> None:
        """A transaction failed: what it stored once for all records is to be stored again."""
        self._flows.clear()
        self._words.clear()

    def _kept(self, session: Session, tenant: str) -> timedelta | None:
        """How long records of a tenant stay; None when there is no such tenant."""
        row = session.execute(select(Tenant.settings).where(Tenant.id == tenant)).first()
        if row is None:
            return None
        return timedelta(days=days_of(row[0], self._days))

    def _leg(self, ring: KeyRing, item: NewLeg) -> Prepared:
        words = words_of(item.trigger)
        context = item.context.model_dump_json(exclude_defaults=True).encode()
        whole = b'{"%s":%s,%s' % (CONTEXT.encode(), context, item.text[1:])
        row_id, (digest, flow) = new_id(), self._content(item.actions)
        sealed = seal_record(ring, (item.tenant, item.execution_id, row_id), compress(whole, words))
        columns = {
            "tenant_id": item.tenant,
            "id": row_id,
            "execution_id": item.execution_id,
            "trigger_id": item.trigger,
            "leg": item.leg,
            "decision": item.decision,
            "reason": item.state.state,
            "policy": item.state.policy,
            "flow": digest,
            "words": words.digest,
            "key_id": sealed.key_id,
            "key": sealed.key,
            "content": sealed.content,
            "bytes": len(sealed.content),
            "created_at": item.at,
        }
        key = self._key(item.tenant)
        return Prepared(item, columns, tuple(subject_hash(key, name) for name in item.subjects), flow)

    def _once(self, session: Session, found: Prepared, item: NewLeg) -> None:
        """See that what the leg refers to is stored: its dictionary, and the Actions of its flow, which were
        used within the hour then."""
        words = words_of(item.trigger)
        if words.digest not in self._words:
            insert_or_keep(session, RecordWordsRow, {"digest": words.digest, "content": words.content})
            self._words.add(words.digest)
        digest, now = found.columns["flow"], time.monotonic()
        name, hour = (item.tenant, digest), FLOW_TOUCHED.total_seconds()
        if self._flows.get(name, -hour) <= now - hour:
            values = {"tenant_id": item.tenant, "digest": digest, "content": found.flow, "used_at": item.at}
            insert_or_keep(session, RecordFlowRow, values, refresh=("used_at",))
            self._flows[name] = now
            while len(self._flows) > _REMEMBERED:
                self._flows.popitem(last=False)

    def _content(self, actions: tuple[Action | PinnedAction, ...]) -> tuple[str, bytes]:
        """Digest and compressed JSON. The Actions of a bound flow are the same objects each time."""
        name = tuple(map(id, actions))
        known = self._digests.get(name)
        if known is not None:
            return known[1:]
        bound = [item for item in actions if isinstance(item, Action)]
        pinned = [item for item in actions if isinstance(item, PinnedAction)]
        data = [
            item.model_dump(mode="json")
            for item in (*pinned, *map(PinnedAction.of, with_unique_names(bound)))
        ]
        text = json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
        found = hashlib.sha256(text).hexdigest(), compress(text)
        if bound:
            self._digests[name] = (actions, *found)
            while len(self._digests) > _REMEMBERED:
                self._digests.popitem(last=False)
        return found


class _Rows:
    """Rows that are inserted together, which takes less than one after another."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._legs: list[dict[str, Any]] = []
        self._subjects: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add(self, found: Prepared, item: NewLeg, expires_at: datetime) -> None:
        self._legs.append({**found.columns, "expires_at": expires_at})
        for subject in found.subjects:
            key = (item.tenant, subject, item.execution_id)
            names = ("tenant_id", "subject", "execution_id")
            self._subjects[key] = {**dict(zip(names, key, strict=True)), "expires_at": expires_at}

    def write(self) -> None:
        if self._legs:
            self._session.connection().execute(_LEGS, self._legs)
        if self._subjects:
            rows = list(self._subjects.values())
            insert_or_keep_all(self._session, RecordSubjectRow, rows, refresh=("expires_at",))
        self._legs.clear()
        self._subjects.clear()


def _settle(session: Session, item: NewLeg | FlowEnd, kept: timedelta, waits_until: datetime) -> None:
    """What becomes of the legs before `item`: all go together, those that wait with the end of the flow."""
    mine = (RecordRow.tenant_id == item.tenant, RecordRow.execution_id == item.execution_id)
    waiting = (*mine, RecordRow.reason == WAITS)
    about = (
        RecordSubjectRow.tenant_id == item.tenant,
        RecordSubjectRow.execution_id == item.execution_id,
    )
    state = item.state.state
    if state not in KEPT and state != WAITS:
        session.execute(delete(RecordRow).where(*waiting))
        session.execute(delete(RecordSubjectRow).where(*about))
        return
    expires_at = waits_until
    if state in KEPT:
        session.execute(update(RecordRow).where(*waiting).values(reason=state))
        first = select(RecordRow.created_at).where(*mine).order_by(RecordRow.created_at).limit(1)
        expires_at = (session.scalar(first) or item.at) + kept
    session.execute(update(RecordRow).where(*mine).values(expires_at=expires_at))
    session.execute(update(RecordSubjectRow).where(*about).values(expires_at=expires_at))


def _note(session: Session, item: Lost) -> None:
    session.execute(
        update(ExecutionRow)
        .where(ExecutionRow.tenant_id == item.tenant, ExecutionRow.id == item.execution_id)
        .values(record=item.state.text)
    )
