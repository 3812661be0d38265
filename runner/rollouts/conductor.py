"""Counts and decides, in one replica at a time: whoever has locked a rollout's row.

Every replica has one. It wakes up when its own process has recorded something for a rollout, and once a
second for what others left when they died, and for stages whose hours are over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from runner.jobs.queue import JobQueue
from runner.rollouts import lifecycle
from runner.rollouts.counts import Counts, Fold, without
from runner.rollouts.plan import RolloutPlan
from runner.store import Store
from runner.store.tables.columns import now
from runner.store.tables.models import ActionRow
from runner.store.tables.rollouts import (
    ACTIVE,
    RUNNING,
    RolloutCountRow,
    RolloutEventRow,
    RolloutRow,
    RolloutSeenRow,
)

_log: Final = structlog.get_logger("actionbox.rollouts")
_LOOK_SECONDS: Final = 1.0
_SPACING_SECONDS: Final = 0.2
"""From one look to the next when events come in: each is a transaction, and a bad
candidate has to go soon."""
_MOST_PORTIONS: Final = 20
"""Of one rollout in one look."""
_Key = tuple[str, str]


class Conductor:
    """For one event loop. `decided`: told the name of each decision that was taken here."""

    def __init__(
        self,
        store: Store,
        decided: Callable[[str], None] = lambda _: None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._store = store
        self._queue = JobQueue(store)
        self._decided = decided
        self._clock = clock
        self._some = asyncio.Event()
        self._missed = False
        self.states: dict[str, int] = {}
        """Rollouts by state that are at work, as the last look found them."""

    def nudge(self) -> None:
        """Something was recorded for a rollout. On the event loop."""
        self._some.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                some = asyncio.create_task(self._some.wait())
                await asyncio.wait(
                    [some, stopping], timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                some.cancel()
                self._some.clear()
                try:
                    await asyncio.to_thread(self.look)
                except Exception:  # noqa: BLE001 - the next look does it
                    _log.exception("rollouts were not looked at")
                if self._missed:
                    self._some.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(stopping), _SPACING_SECONDS)
        finally:
            stopping.cancel()

    def look(self) -> None:
        """Count and decide all that there is to."""
        self._missed = False
        for tenant, rollout in self._waiting():
            for _ in range(_MOST_PORTIONS):
                if not self._turn(tenant, rollout):
                    break

    def _waiting(self) -> list[_Key]:
        """Rollouts with something to count, to decide or to clean up; and events of those that are gone."""
        moment = self._clock()
        with self._store.read() as session:
            rows = session.scalars(select(RolloutRow).where(RolloutRow.cleaned.is_(False))).all()
            if not rows:
                self.states = {}
                return []
            query = select(RolloutEventRow.tenant_id, RolloutEventRow.rollout_id).distinct()
            counted = {(tenant, rollout) for tenant, rollout in session.execute(query)}
        self.states = {}
        for row in rows:
            if row.state in ACTIVE:
                self.states[row.state] = self.states.get(row.state, 0) + 1
        return [
            (row.tenant_id, row.id)
            for row in rows
            if (row.tenant_id, row.id) in counted
            or row.state not in ACTIVE
            or (row.state == RUNNING and (lifecycle.is_shadowing(row) or lifecycle.due_at(row) <= moment))
        ]

    def _turn(self, tenant: str, rollout: str) -> bool:
        """One transaction; whether there is more to do at once."""
        with self._store.begin() as session:
            row = _locked(session, tenant, rollout)
            if row is None:
                self._missed = True  # another replica is at it, and may not see what came this moment
                return False
            if row.cleaned:
                return False
            more = self._count(session, row) if row.state in ACTIVE else self._clean(session, row)
        for decision in lifecycle.told(session):
            self._decided(decision.decision)
        return more

    def _count(self, session: Session, row: RolloutRow) -> bool:
        counts = Counts.of(session, row)
        folded = Fold(session, row, RolloutPlan.model_validate(row.plan), counts).run()
        lifecycle.go_on(session, self._queue, row, counts, self._clock())
        return folded > 0

    def _clean(self, session: Session, row: RolloutRow) -> bool:
        """Of a rollout that has ended: events that came late, and the users that it has seen."""
        left = without(session, {"tenant_id": row.tenant_id, "rollout_id": row.id})
        row.cleaned = not left and lifecycle.is_quiet(row, self._clock())
        return left > 0


def _locked(session: Session, tenant: str, rollout: str) -> RolloutRow | None:
    """The rollout, unless somebody has it or its Action: who deploys locks that first, and so do we."""
    mine = (RolloutRow.tenant_id == tenant, RolloutRow.id == rollout)
    action = session.scalar(
        select(ActionRow)
        .join(
            RolloutRow, (RolloutRow.tenant_id == ActionRow.tenant_id) & (RolloutRow.action_id == ActionRow.id)
        )
        .where(*mine)
        .with_for_update(skip_locked=True, key_share=True, of=ActionRow)
    )
    if action is None:
        return None
    return session.scalar(select(RolloutRow).where(*mine).with_for_update(skip_locked=True))


def forget(session: Session, tenant: str, action_id: str) -> list[str]:
    """Delete what the counts of an Action's rollouts hold, before the Action goes and they with it; their
    ids. Decisions stay in the log."""
    mine = (RolloutRow.tenant_id == tenant, RolloutRow.action_id == action_id)
    found = list(session.scalars(select(RolloutRow.id).where(*mine)))
    for table in (RolloutEventRow, RolloutSeenRow, RolloutCountRow):
        session.execute(delete(table).where(table.tenant_id == tenant, table.rollout_id.in_(found)))
    return found
