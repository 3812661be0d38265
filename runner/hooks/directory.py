"""Which hooks tenants have configured, in memory: a request for one that there is not costs no query."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from runner.hooks.model import Configured, Defaults, Provider, Secret
from runner.hooks.providers import PROVIDERS
from runner.store import KeyRing, SealError, Store
from runner.store.database.notices import HOOKS, MISSED, Notice
from runner.store.sealed.sealing import HOOK
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.entities import HookRow

_FRESH_SECONDS: Final = 0.5
_HEARD_SECONDS: Final = 5.0
"""How long the list counts as current: as for bindings (`runner.runtime.binding_cache`)."""
_MAX_OPENED: Final = 1_024
"""Hooks whose secrets are kept in clear."""

Place = tuple[str, str, str]
"""Tenant, provider, hook."""


@dataclass(frozen=True, slots=True)
class _State:
    """What a look at the table has found: it changed if and only if this did."""

    count: int = -1
    latest: datetime | None = None


class Directory:
    """For one event loop; listeners may be told from any thread."""

    def __init__(
        self, store: Store, ring: Callable[[], KeyRing], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._ring = ring
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[Place, tuple[str, datetime]] = {}
        self._state = _State()
        self._changed: set[str] = set()
        self._looked_at = -1e9
        self._opened: OrderedDict[Place, tuple[datetime, Configured]] = OrderedDict()
        self._looking: asyncio.Task[None] | None = None
        store.listen(HOOKS, self._heard)
        store.listen(MISSED, lambda _: self._doubt())

    async def find(self, provider: Provider, tenant: str, hook: str) -> Configured | None:
        """The hook; None when there is none. Raises `SealError`, and what the database raises."""
        await self._look()
        place = (tenant, provider.name, hook)
        known = self._known.get(place)
        if known is None:
            return None
        opened = self._opened.get(place)
        if opened is not None and opened[0] == known[1]:
            return opened[1]
        found = await asyncio.to_thread(self._open, place)
        if found is not None:
            self._opened[place] = (known[1], found)
            self._opened.move_to_end(place)
            while len(self._opened) > _MAX_OPENED:
                self._opened.popitem(last=False)
        return found

    async def _look(self) -> None:
        """Make the list current, all that wait for it together."""
        fresh = _HEARD_SECONDS if self._store.hears else _FRESH_SECONDS
        if not self._changed and self._monotonic() - self._looked_at < fresh:
            return
        if self._looking is None:
            self._looking = asyncio.ensure_future(asyncio.to_thread(self._read))
            self._looking.add_done_callback(self._looked)
        await asyncio.shield(self._looking)

    def _looked(self, _: asyncio.Task[None]) -> None:
        self._looking = None

    def _read(self) -> None:
        looked_at = self._monotonic()
        with self._lock:
            changed, self._changed = self._changed, set()
        try:
            with self._store.read() as session:
                count, latest = session.execute(select(func.count(), func.max(HookRow.updated_at))).one()
                state = _State(count, latest)
                if changed and not self._differs_beyond(session, state, changed):
                    self._take(session, changed)
                elif state != self._state:
                    self._take(session, None)
        except BaseException:
            with self._lock:
                self._changed |= changed
            raise
        self._state, self._looked_at = state, looked_at

    def _differs_beyond(self, session: Session, state: _State, changed: set[str]) -> bool:
        """Something has changed that no notice told of: the numbers do not add up."""
        mine = select(func.count()).where(HookRow.tenant_id.in_(changed))
        others = state.count - (session.scalar(mine) or 0)
        return others != sum(1 for place in self._known if place[0] not in changed)

    def _take(self, session: Session, tenants: set[str] | None) -> None:
        query = select(HookRow.tenant_id, HookRow.provider, HookRow.hook, HookRow.id, HookRow.updated_at)
        if tenants is not None:
            query = query.where(HookRow.tenant_id.in_(tenants))
        found = {(row[0], row[1], row[2]): (row[3], row[4]) for row in session.execute(query)}
        kept = {} if tenants is None else {k: v for k, v in self._known.items() if k[0] not in tenants}
        self._known = {**kept, **found}

    def _open(self, place: Place) -> Configured | None:
        tenant, provider, hook = place
        with self._store.read() as session:
            row = session.scalar(
                select(HookRow).where(
                    HookRow.tenant_id == tenant, HookRow.provider == provider, HookRow.hook == hook
                )
            )
            return None if row is None else configured(session, self._ring(), row)

    def _heard(self, notice: Notice) -> None:
        with self._lock:
            self._changed.add(notice.tenant)

    def _doubt(self) -> None:
        self._state, self._looked_at = _State(), -1e9


def configured(session: Session, ring: KeyRing, row: HookRow) -> Configured:
    """A row with its secrets opened. Raises `SealError`: they do not open, or an older release wrote
    settings that this one does not know."""
    provider = PROVIDERS[row.provider]
    hook = provider.hooks[row.hook]
    box = SecretBox(session, ring, row.tenant_id)
    secrets = []
    for name, value in box.values(HOOK, row.id).items():
        use, _, key = name.partition(".")
        secrets.append(Secret(key, use, value))
    try:
        defaults = Defaults.model_validate(row.defaults)
        settings = provider.settings_model.model_validate(row.settings)
    except ValidationError:
        raise SealError(f"the configuration of hook {row.id} is not one of this release") from None
    return Configured(
        tenant=row.tenant_id,
        id=row.id,
        enabled=row.enabled,
        secrets=tuple(secrets),
        defaults=defaults,
        settings=settings,
        deny_uncarried=row.on_uncarried == "deny",
        budget_ms=min(row.budget_ms or hook.budget_ms, hook.max_budget_ms),
    )
