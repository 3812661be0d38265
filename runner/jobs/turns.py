"""Whose turn it is: those with the least running first, then one tenant after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from runner.jobs.policy import policy_of
from runner.store.runs import READY, RUNNING, JobRow

Queue = tuple[str, str]
"""A tenant's jobs of one kind: (tenant, kind)."""
_MOST: Final = 64
"""Tenants that one turn looks at, of each kind. The next turn goes on behind them."""


class Turns:
    """Shares free places between tenants. For one lane of one worker, by one thread at a time."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = tuple(kinds)
        self._last = dict.fromkeys(self._kinds, "")

    def shares(self, session: Session, moment: datetime, places: int) -> Counter[Queue]:
        """How many jobs to take of each tenant and kind that has some due, `places` in all."""
        waiting = [(tenant, kind) for kind in self._kinds for tenant in self._after(session, kind, moment)]
        if not waiting:
            return Counter()
        running = self._running(session)
        tenants: Counter[str] = Counter()
        for (tenant, _), number in running.items():
            tenants[tenant] += number
        shares: Counter[Queue] = Counter()
        for _ in range(places):
            open_ = [queue for queue in waiting if _has_room(queue, running[queue] + shares[queue])]
            if not open_:
                break
            chosen = min(open_, key=lambda queue: tenants[queue[0]])
            shares[chosen] += 1
            tenants[chosen[0]] += 1
        for tenant, kind in shares:
            self._last[kind] = tenant
        return shares

    def _after(self, session: Session, kind: str, moment: datetime) -> list[str]:
        """Tenants with something due, from the one behind that which had the last turn."""
        last = self._last[kind]
        found = self._due(session, kind, moment, JobRow.tenant_id > last, _MOST)
        if last and len(found) < _MOST:
            found += self._due(session, kind, moment, JobRow.tenant_id <= last, _MOST - len(found))
        return found

    def _due(self, session: Session, kind: str, moment: datetime, part: Any, most: int) -> list[str]:
        """In order. From tenant to tenant through the index: a long queue of one costs no more than a short
        one, where `select distinct` would read all of it."""
        due = (JobRow.kind == kind, JobRow.state == READY, JobRow.next_at <= moment, part)
        found = select(func.min(JobRow.tenant_id).label("tenant")).where(*due).cte("found", recursive=True)
        after = select(func.min(JobRow.tenant_id)).where(*due, JobRow.tenant_id > found.c.tenant)
        found = found.union_all(
            select(after.scalar_subquery()).where(found.c.tenant.is_not(None)).select_from(found)
        )
        names = session.scalars(select(found.c.tenant).limit(most + 1))
        return [name for name in names if name is not None][:most]

    def _running(self, session: Session) -> Counter[Queue]:
        rows = session.execute(
            select(JobRow.tenant_id, JobRow.kind, func.count())
            .where(JobRow.kind.in_(self._kinds), JobRow.state == RUNNING)
            .group_by(JobRow.tenant_id, JobRow.kind)
        )
        return Counter({(tenant, kind): number for tenant, kind, number in rows})


def _has_room(queue: Queue, running: int) -> bool:
    most = policy_of(queue[1]).tenant_running
    return most is None or running < most
