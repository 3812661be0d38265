"""What a leg leaves for the counts of rollouts, written in the transaction of its record.

A leg that is on record is counted, and one that is not is not, whatever process dies when. It costs the login
a row more in a transaction that it waits for anyway; counting is left to the conductor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Insert, Table, inspect
from sqlalchemy.orm import Session

from runner.model.arms import CANARY, Assigned
from runner.model.outcome import ActionRecord, FlowOutcome, Status
from runner.store.database.upsert import insert_or_keep
from runner.store.resolved_flow import BoundVersion
from runner.store.tables.rollouts import RolloutEventRow, VersionHostRow
from sandbox.core.failure import Failure, FailureCode

DEATH: Final = "death"
LOCKOUT: Final = "lockout"
"""Alarms, which need no statistics."""
MAX_HOSTS: Final = 200
"""Hosts of one version that are remembered. One that asks more makes them up, and none of them is new."""
_ASSIGNED: Final = TypeAdapter(Assigned)
_MOST_KNOWN: Final = 100_000


def _table() -> Table:
    found = inspect(RolloutEventRow).local_table
    assert isinstance(found, Table)
    return found


INSERT: Final[Insert] = _table().insert()


def rows_of(
    tenant: str, outcome: FlowOutcome, versions: Sequence[BoundVersion], hosts: Sequence[Sequence[str]]
) -> list[dict[str, Any]]:
    """A row for each Action of the leg that is rolled out and ran, for `INSERT`."""
    found = []
    for index, (action, version) in enumerate(zip(outcome.actions, versions, strict=False)):
        chosen = version.assigned
        if chosen is None:
            continue
        lost = _died(outcome.failure)
        if action.status is Status.SKIPPED and not lost:
            continue
        found.append(
            {
                "tenant_id": tenant,
                "rollout_id": chosen.rollout_id,
                "segment": chosen.segment,
                "arm": chosen.arm,
                "kind_of_user": chosen.group,
                "user_digest": chosen.user,
                "is_first": outcome.leg == 1,
                "failed": action.failure is not None or lost,
                "denied": action.status is Status.DENIED,
                "suspended": action.status is Status.SUSPENDED,
                "cost_ms": _cost(outcome, action),
                "alarm": _alarm(action, chosen, lost=lost),
                "hosts": list(hosts[index]) if index < len(hosts) and chosen.arm == CANARY else None,
                "execution_id": outcome.execution_id,
            }
        )
    return found


def _alarm(action: ActionRecord, chosen: Assigned, *, lost: bool) -> str | None:
    if chosen.arm != CANARY:
        return None
    if lost or _died(action.failure):
        return DEATH
    return LOCKOUT if chosen.protected and action.status is Status.DENIED else None


def _died(failure: Failure | None) -> bool:
    """Its sandbox took its worker along: nothing that an Action does may."""
    return failure is not None and failure.code is FailureCode.INTERNAL and "worker" in failure.detail


def _cost(outcome: FlowOutcome, action: ActionRecord) -> float | None:
    """Processor milliseconds; None where they are of another kind: compiled first, failed, or a second
    version ran as well."""
    if action.statistics is None or action.failure is not None or outcome.timing.build_ms > 0:
        return None
    return round(action.statistics.cpu_ms, 3)


def arms_of(versions: Sequence[BoundVersion]) -> list[Any] | None:
    """The choices as a suspended flow keeps them; None when there was none."""
    if all(version.assigned is None for version in versions):
        return None
    return [None if version.assigned is None else asdict(version.assigned) for version in versions]


def assigned_from(stored: Sequence[Mapping[str, Any] | None] | None) -> list[Assigned | None]:
    """The choices of a suspended flow; none for those of an earlier release."""
    return [None if item is None else _ASSIGNED.validate_python(item) for item in stored or ()]


class RolloutLegs:
    """What the legs of this process leave; for one event loop. `told`: when there is something to count."""

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self._told = told
        self._known: dict[tuple[str, str], set[str]] = {}

    def left(
        self,
        tenant: str,
        outcome: FlowOutcome,
        versions: Sequence[BoundVersion],
        hosts: Sequence[Sequence[str]],
        *,
        own: bool = True,
    ) -> Left:
        """Of one leg. `hosts`: that each Action asked. `own`: whether the outcome is the doing of its
        Actions; one that may be a neighbour's says nothing of either arm, and is no event of a stage."""
        events = rows_of(tenant, outcome, versions, hosts) if own else []
        return Left(self, tenant, events, self._new(tenant, versions, hosts))

    def written(self, left: Left) -> None:
        """It is on disk."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        for version, host in left.hosts:
            self._known.setdefault((left.tenant, version), set()).add(host)
        if left.events:
            self._told()

    def _new(
        self, tenant: str, versions: Sequence[BoundVersion], hosts: Sequence[Sequence[str]]
    ) -> list[tuple[str, str]]:
        """Version and host of what this process has not written."""
        found = []
        for version, asked in zip(versions, hosts, strict=False):
            if not asked:
                continue
            known = self._known.get((tenant, version.version_id), set())
            new = [host for host in asked if host not in known]
            found += [(version.version_id, host) for host in new[: MAX_HOSTS - len(known)]]
        return found


@dataclass(frozen=True, slots=True)
class Left:
    """What one leg leaves. `events`: rows; `hosts`: by version."""

    legs: RolloutLegs
    tenant: str
    events: list[dict[str, Any]]
    hosts: list[tuple[str, str]]

    @property
    def rows(self) -> dict[Insert, list[dict[str, Any]]]:
        """To be written with the record of the leg."""
        return {INSERT: self.events} if self.events else {}

    def note(self, session: Session) -> None:
        """Write the hosts."""
        for version, host in self.hosts:
            key = {"tenant_id": self.tenant, "version_id": version, "host": host}
            insert_or_keep(session, VersionHostRow, key)

    def written(self) -> None:
        """Its transaction is committed. On the event loop."""
        self.legs.written(self)
