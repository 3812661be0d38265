"""Fair shares of jobs: tenants with the fewest running first, then one tenant after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from runner.jobs.policy import policy_of
from runner.store.tables.columns import Moment
from runner.store.tables.runs import READY, RUNNING, JobRow

Queue = tuple[str, str]
"""A tenant's jobs of one kind: (tenant, kind)."""
_MOST: Final = 64
"""Tenants that one turn looks at, of each kind. The next turn goes on behind the one that was served last."""


class Turns:
    """Shares free places between tenants. For one group of one worker, by one thread at a time."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._kinds = tuple(kinds)
        self._statement = _statement(self._kinds)
        self._last = dict.fromkeys(self._kinds, "")
        self._after = dict.fromkeys(self._kinds, "")

    def shares(self, session: Session, moment: datetime, places: int) -> Counter[Queue]:
        """The number of jobs to take of each tenant and kind that has some due, `places` in all."""
        names, running = self._look(session, moment)
        waiting = [queue for kind in self._kinds for queue in self._in_turn(kind, names[kind])]
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
        for kind in self._kinds:
            # As long as all fit into one look, each begins with the first; only then do looks move on.
            self._after[kind] = self._last[kind] if len(names[kind]) >= _MOST else ""
        return shares

    def _look(self, session: Session, moment: datetime) -> tuple[dict[str, list[str]], Counter[Queue]]:
        """Tenants with something due by kind; and how much runs."""
        names, running = self._read(session, moment, self._after)
        if any(after and len(names[kind]) < _MOST for kind, after in self._after.items()):
            first, _ = self._read(session, moment, dict.fromkeys(self._kinds, ""))
            for kind, after in self._after.items():
                names[kind] += [name for name in first[kind] if name <= after][: _MOST - len(names[kind])]
        return names, running

    def _read(
        self, session: Session, moment: datetime, after: Mapping[str, str]
    ) -> tuple[dict[str, list[str]], Counter[Queue]]:
        values = {f"after_{kind}": name for kind, name in after.items()}
        names: dict[str, list[str]] = {kind: [] for kind in self._kinds}
        running: Counter[Queue] = Counter()
        for kind, tenant, number in session.execute(self._statement, {"moment": moment, **values}):
            if number:
                running[tenant, kind] = number
            elif tenant is not None:
                names[kind].append(tenant)
        return names, running

    def _in_turn(self, kind: str, names: list[str]) -> list[Queue]:
        last = self._last[kind]
        behind = sorted(name for name in names if name > last)
        return [(name, kind) for name in (*behind, *sorted(name for name in names if name <= last))]


def _statement(kinds: Sequence[str]) -> Any:
    """Tenants with something due by kind, with the number 0; and with what runs, with its number.

    The due ones are found from tenant to tenant through the index: a long queue of one costs no more than a
    short one, where `select distinct` would read all of it.
    """
    moment = bindparam("moment", type_=Moment())
    parts = []
    for kind in kinds:
        due = (JobRow.kind == kind, JobRow.state == READY, JobRow.next_at <= moment)
        first = select(func.min(JobRow.tenant_id).label("tenant"))
        found = first.where(*due, JobRow.tenant_id > bindparam(f"after_{kind}")).cte(
            f"due_{kind}", recursive=True
        )
        after = select(func.min(JobRow.tenant_id)).where(*due, JobRow.tenant_id > found.c.tenant)
        found = found.union_all(
            select(after.scalar_subquery()).where(found.c.tenant.is_not(None)).select_from(found)
        )
        few = select(found.c.tenant).limit(_MOST).subquery()
        parts.append(select(literal(kind).label("kind"), few.c.tenant, literal(0).label("number")))
    running = (
        select(JobRow.kind, JobRow.tenant_id, func.count())
        .where(JobRow.kind.in_(tuple(kinds)), JobRow.state == RUNNING)
        .group_by(JobRow.kind, JobRow.tenant_id)
    )
    return union_all(*parts, running)


def _has_room(queue: Queue, running: int) -> bool:
    most = policy_of(queue[1]).tenant_running
    return most is None or running < most
