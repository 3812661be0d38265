"""Events of legs folded into counts: each exactly once, because they go in the transaction that counts
them."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from runner.model.arms import CANARY, CONTROL, NO_KEY, SHARE
from runner.rollouts.events import DEATH, LOCKOUT, MAX_HOSTS
from runner.rollouts.plan import RolloutPlan
from runner.rollouts.statistics import Split, longest_run
from runner.store.tables.rollouts import (
    RolloutCountRow,
    RolloutEventRow,
    RolloutRow,
    RolloutSeenRow,
    VersionHostRow,
)

KINDS: Final = ("failed", "denied", "suspended", "costly")
"""Kinds of events that are counted; an event can be of several."""
RUN: Final = "run"
NEW_HOST: Final = "new_host"
_REFERENCE_EVENTS: Final = 50
"""Of the control, whose middle is the usual cost. Until there are as many, no event is costly."""
_MOST: Final = 2_000
"""Events of one transaction."""
_FEW: Final = 500
"""Keys of one query."""


class Alarm(BaseModel):
    """What needs no statistics, and the execution that raised it."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["death", "lockout", "run", "new_host"]
    text: str
    execution_id: str


class Watch(BaseModel):
    """What the guards know beside the counts.

    Attributes:
        streak: failures of the candidate in a row, up to its last event.
        costs: of the control's first events, until there is a reference.
        reference_ms: the control's usual cost.
        new_hosts: that the candidate asked and the control did not.
        alarm: the first one.
    """

    streak: int = 0
    costs: list[float] = []
    reference_ms: float | None = None
    new_hosts: list[str] = []
    alarm: Alarm | None = None


@dataclass(slots=True)
class Counts:
    """Counts of a rollout by segment, group and arm. `shares`: of each segment, 0 to 1."""

    shares: Sequence[float]
    first_segment: int
    rows: dict[tuple[int, str, str], RolloutCountRow] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, row: RolloutRow) -> Counts:
        """As they are stored."""
        mine = (RolloutCountRow.tenant_id == row.tenant_id, RolloutCountRow.rollout_id == row.id)
        found = session.scalars(select(RolloutCountRow).where(*mine))
        shares = [segment["percent"] / 100 for segment in row.segments]
        return cls(shares, row.first_segment, {(item.segment, item.group, item.arm): item for item in found})

    def splits(self, kind: str) -> list[Split]:
        """Users with an event of `kind`, of each segment whose share divides them by chance."""
        return [
            Split(share, self._users(segment, CONTROL, kind), self._users(segment, CANARY, kind))
            for segment, share in enumerate(self.shares)
            if segment >= self.first_segment and 0 < share < 1
        ]

    def total(self, arm: str, name: str, segments: Collection[int] | None = None) -> int:
        """Events of an arm, of those that were divided by chance. `name`: `events` or a kind; `segments`:
        all that the guards look at when None."""
        return sum(
            getattr(row, name)
            for (segment, group, of), row in self.rows.items()
            if of == arm
            and group == SHARE
            and (segment >= self.first_segment if segments is None else segment in segments)
        )

    def total_without_key(self) -> int:
        """Events whose users are not known, over all segments."""
        return sum(row.events for (_, group, _), row in self.rows.items() if group == NO_KEY)

    def _users(self, segment: int, arm: str, kind: str) -> int:
        row = self.rows.get((segment, SHARE, arm))
        return 0 if row is None else getattr(row, f"{kind}_users")


class Fold:
    """Counts what waits to be counted of one rollout, whose row the caller has locked."""

    def __init__(self, session: Session, row: RolloutRow, plan: RolloutPlan, counts: Counts) -> None:
        self._session = session
        self._row = row
        self._plan = plan
        self._counts = counts
        self._mine = {"tenant_id": row.tenant_id, "rollout_id": row.id}
        self.watch: Final = Watch.model_validate(row.watch)
        self._new: set[tuple[str, str]] = set()
        self._known: frozenset[str] | None = None

    def run(self) -> int:
        """Fold one portion; how many events that were."""
        events = self._session.scalars(
            select(RolloutEventRow)
            .where(
                RolloutEventRow.tenant_id == self._row.tenant_id, RolloutEventRow.rollout_id == self._row.id
            )
            .order_by(RolloutEventRow.id)
            .limit(_MOST)
        ).all()
        kinds = [self._kinds(event) for event in events]
        self._new = self._unseen(events, kinds)
        if self._new:
            rows = [{**self._mine, "kind": kind, "user": user} for kind, user in sorted(self._new)]
            self._session.execute(insert(RolloutSeenRow), rows)
        for event, of in zip(events, kinds, strict=True):
            self._add(event, of)
        ids = [event.id for event in events]
        for start in range(0, len(ids), _FEW):
            some = ids[start : start + _FEW]
            self._session.execute(
                delete(RolloutEventRow)
                .where(RolloutEventRow.id.in_(some))
                .execution_options(synchronize_session=False)
            )
        self._row.watch = self.watch.model_dump(mode="json")
        return len(events)

    def _kinds(self, event: RolloutEventRow) -> list[str]:
        """In the order of the events: the first ones say what is usual."""
        found = [name for name in ("failed", "denied", "suspended") if getattr(event, name)]
        cost, guard = event.cost_ms, self._plan.guards.cost
        if cost is None or guard is None or event.group != SHARE:
            return found
        if self.watch.reference_ms is not None:
            if cost > guard.max_ratio * self.watch.reference_ms:
                found.append("costly")
        elif event.arm == CONTROL:
            self.watch.costs.append(cost)
            if len(self.watch.costs) == _REFERENCE_EVENTS:
                self.watch.reference_ms = statistics.median(self.watch.costs)
                self.watch.costs = []
        return found

    def _unseen(
        self, events: Sequence[RolloutEventRow], kinds: Sequence[Sequence[str]]
    ) -> set[tuple[str, str]]:
        """Kinds and users that are not counted yet."""
        wanted: dict[str, set[str]] = {}
        for event, of in zip(events, kinds, strict=True):
            for kind in of if event.group == SHARE else ():
                wanted.setdefault(kind, set()).add(event.user)
        found = {(kind, user) for kind, users in wanted.items() for user in users}
        for kind, users in wanted.items():
            listed = sorted(users)
            for start in range(0, len(listed), _FEW):
                there = self._session.scalars(
                    select(RolloutSeenRow.user).where(
                        RolloutSeenRow.tenant_id == self._row.tenant_id,
                        RolloutSeenRow.rollout_id == self._row.id,
                        RolloutSeenRow.kind == kind,
                        RolloutSeenRow.user.in_(listed[start : start + _FEW]),
                    )
                )
                found -= {(kind, user) for user in there}
        return found

    def _add(self, event: RolloutEventRow, kinds: Sequence[str]) -> None:
        row = self._count_row(event)
        if event.first:
            row.events += 1
        for kind in kinds:
            setattr(row, kind, getattr(row, kind) + 1)
            if event.group == SHARE and (kind, event.user) in self._new:
                self._new.discard((kind, event.user))
                setattr(row, f"{kind}_users", getattr(row, f"{kind}_users") + 1)
        if event.arm == CANARY and event.segment >= self._row.first_segment:
            self._look(event)

    def _count_row(self, event: RolloutEventRow) -> RolloutCountRow:
        key = (event.segment, event.group, event.arm)
        row = self._counts.rows.get(key)
        if row is None:
            nothing = dict.fromkeys(("events", *KINDS, *(f"{kind}_users" for kind in KINDS)), 0)
            row = RolloutCountRow(
                **self._mine, segment=event.segment, group=event.group, arm=event.arm, **nothing
            )
            self._session.add(row)
            self._counts.rows[key] = row
        return row

    def _look(self, event: RolloutEventRow) -> None:
        """At what needs no statistics."""
        self.watch.streak = self.watch.streak + 1 if event.failed else 0
        if self.watch.alarm is not None:
            return
        if event.alarm == DEATH:
            self._alarm(DEATH, "the candidate's sandbox died", event)
        elif event.alarm == LOCKOUT:
            self._alarm(LOCKOUT, "the candidate denied somebody on the lock-out list", event)
        elif event.failed and self.watch.streak >= self._longest_run():
            self._alarm(RUN, f"the candidate failed {self.watch.streak} times in a row", event)
        else:
            self._look_at_hosts(event)

    def _longest_run(self) -> int:
        events = self._counts.total(CONTROL, "events")
        rate = self._counts.total(CONTROL, "failed") / events if events else 0.0
        return longest_run(rate, self._plan.planned_events(), self._plan.alpha)

    def _look_at_hosts(self, event: RolloutEventRow) -> None:
        guard = self._plan.guards.new_hosts
        if guard is None or not event.hosts:
            return
        known = self._hosts_of_control()
        if len(known) >= MAX_HOSTS:
            return
        for host in event.hosts:
            if host not in known and host not in self.watch.new_hosts:
                self.watch.new_hosts.append(host)
        if len(self.watch.new_hosts) > guard.max:
            hosts = ", ".join(self.watch.new_hosts[:3])
            self._alarm(NEW_HOST, f"the candidate asked hosts that the control never asked: {hosts}", event)

    def _hosts_of_control(self) -> frozenset[str]:
        if self._known is None:
            hosts = self._session.scalars(
                select(VersionHostRow.host).where(
                    VersionHostRow.tenant_id == self._row.tenant_id,
                    VersionHostRow.version_id == self._row.control_id,
                )
            )
            self._known = frozenset(hosts)
        return self._known

    def _alarm(self, kind: Any, text: str, event: RolloutEventRow) -> None:
        self.watch.alarm = Alarm(kind=kind, text=text, execution_id=event.execution_id)


def without(session: Session, keys: Mapping[str, str]) -> int:
    """Delete a portion of what only a running rollout needs; how many rows. `keys`: `tenant_id` and
    `rollout_id`."""
    total = 0
    for table, columns in (
        (RolloutEventRow, (RolloutEventRow.id,)),
        (RolloutSeenRow, (RolloutSeenRow.kind, RolloutSeenRow.user)),
    ):
        mine = (table.tenant_id == keys["tenant_id"], table.rollout_id == keys["rollout_id"])
        for found in session.execute(select(*columns).where(*mine).limit(_FEW)).all():
            same = [column == value for column, value in zip(columns, found, strict=True)]
            session.execute(delete(table).where(*mine, *same))
            total += 1
    return total
