"""The tenant's log, made of the executions on record (reference/management-api.md section 8).

An execution that has ended is one entry, of a type that says what it was about; each Action that failed is
one more, `actions_execution_failed`; each decision on a rollout is one, `actions_rollout`. Entries are
ordered by when they were recorded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session, defer

from runner.http.answer_types import moment
from runner.model.caps import MAX_LIST_BYTES
from runner.model.outcome import Decision
from runner.store.database.by_size import portions
from runner.store.tables.rollouts import RolloutDecisionRow
from runner.store.tables.runs import ExecutionAction, ExecutionRow
from sandbox.core.failure import FailureCode

FAILURE: Final = "actions_execution_failed"
ROLLOUT: Final = "actions_rollout"


class Kinds(NamedTuple):
    """Types of entries for executions of a trigger: that went well (None: those have no entry), and that did
    not."""

    good: str | None
    bad: str

    def of(self, decision: str | None) -> str | None:
        """The type for an execution that ended so."""
        return self.good if decision == Decision.ALLOW.value else self.bad


KINDS: Final[Mapping[str, Kinds]] = {
    "post-login": Kinds("s", "f"),
    "post-credential-validation": Kinds(None, "f"),  # the login goes on, and ends as one or the other
    "credentials-exchange": Kinds("seccft", "feccft"),
    "pre-user-registration": Kinds("ss", "fs"),
    "post-user-registration": Kinds("ss", "ss"),  # the user is there, whatever its Actions do
    "post-change-password": Kinds("scp", "scp"),
    "password-reset-post-challenge": Kinds("scpr", "fcpr"),
    "custom-token-exchange": Kinds("secte", "fecte"),
    "send-phone-message": Kinds("gd_send_sms", "gd_send_sms_failure"),
    "custom-phone-provider": Kinds("gd_send_sms", "gd_send_sms_failure"),
}
"""Executions of other triggers have no entry of their own; failures in them do."""
TYPES: Final = frozenset({FAILURE, ROLLOUT, *(kind for kinds in KINDS.values() for kind in kinds if kind)})
_DESCRIPTIONS: Final = {
    "s": "Successful login",
    "f": "Failed login",
    "seccft": "Client credentials for access token",
    "feccft": "Failed client credentials for access token",
    "ss": "Successful signup",
    "fs": "Failed signup",
    "scp": "Successful change of a password",
    "scpr": "Successful request to change a password",
    "fcpr": "Failed request to change a password",
    "secte": "Successful custom token exchange",
    "fecte": "Failed custom token exchange",
    "gd_send_sms": "Phone message sent",
    "gd_send_sms_failure": "Phone message not sent",
}
_ERROR_CLASSES: Final = {
    FailureCode.TIMEOUT.value: "action_timeout",
    FailureCode.INTERNAL.value: "platform_error",
}
_OF_ROLLOUTS: Final = ("version_number", "rollout_id", "arm", "arm_reason")
_ENDED: Final = (Decision.ALLOW.value, Decision.DENY.value, Decision.FAILED.value)
_ENTRIES: Final = tuple(
    (trigger, decision, kind)
    for trigger, kinds in KINDS.items()
    for decision in _ENDED
    if (kind := kinds.of(decision)) is not None
)
"""Triggers and decisions of the executions that have an entry, and its type."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BY_CHANGE: Final = (ExecutionRow.updated_at, ExecutionRow.id)
_BY_RECORD: Final = (ExecutionAction.recorded_at, ExecutionAction.execution_id, ExecutionAction.position)
_BY_DECISION: Final = (RolloutDecisionRow.at, RolloutDecisionRow.id)
_DECISION: Final = "rod_"
"""What ids of decisions begin with; no execution's does."""
_ID: Final = re.compile(r"([0-9]{16})-([0-9]{3,9})-([A-Za-z0-9_-]{1,64})")


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Position of an entry in the log. `slot`: 0 for the execution, else one more than the index of the
    result that failed. `execution_id`: a decision's own id for that."""

    at: datetime
    execution_id: str
    slot: int

    def __str__(self) -> str:
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{micros:016d}-{self.slot:03d}-{self.execution_id}"

    @property
    def is_decision(self) -> bool:
        return self.execution_id.startswith(_DECISION)

    @property
    def turn(self) -> int:
        """Of several entries at the same moment."""
        return 2 if self.is_decision else 1 if self.slot else 0

    @classmethod
    def of(cls, log_id: str) -> LogPosition | None:
        """None for what is no id of an entry."""
        match = _ID.fullmatch(log_id)
        if match is None or int(match[2]) >= 2**31:
            return None
        return cls(_EPOCH + timedelta(microseconds=int(match[1])), match[3], int(match[2]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The entries that are wanted. `types`: None for all; `since` and `until` are included."""

    types: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


class _Source(NamedTuple):
    """Entries of one kind, which one index holds in their order: they are read along it, and no further."""

    query: Select[Any, Any, Any]
    order: Sequence[Any]


class Entries:
    """The log of one tenant."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._tenant = tenant

    def page(self, wanted: Wanted, offset: int, limit: int, *, oldest: bool) -> list[dict[str, Any]]:
        """Entries from `offset`, which reads all that come before them."""
        places = self._places(self._sources(wanted), offset + limit, oldest=oldest)
        return self._render(places[offset:])

    def total(self, wanted: Wanted, most: int) -> int:
        """The number of entries, counted up to `most`: in their order, so that an index is read."""
        counts = (
            self._session.scalar(
                select(func.count()).select_from(query.order_by(*order).limit(most).subquery())
            )
            for query, order in self._sources(wanted)
        )
        return min(sum(count or 0 for count in counts), most)

    def after(self, place: LogPosition | None, limit: int) -> list[dict[str, Any]]:
        """The next ones after a place, the oldest first; from the beginning when None."""
        executions, failures, decisions = (source.query for source in self._sources(Wanted()))
        if place is not None:
            at, recorded = ExecutionRow.updated_at, ExecutionAction.recorded_at
            decided = RolloutDecisionRow.at
            if place.is_decision:
                executions = executions.where(at > place.at)
                failures = failures.where(recorded > place.at)
                decisions = decisions.where(tuple_(*_BY_DECISION) > tuple_(place.at, place.execution_id))
            elif place.slot:
                here = (recorded, ExecutionAction.execution_id, ExecutionAction.position)
                there = (place.at, place.execution_id, place.slot - 1)
                executions = executions.where(at > place.at)
                failures = failures.where(tuple_(*here) > tuple_(*there))
                decisions = decisions.where(decided >= place.at)
            else:
                beyond = tuple_(at, ExecutionRow.id) > tuple_(place.at, place.execution_id)
                executions = executions.where(beyond)
                failures = failures.where(recorded >= place.at)
                decisions = decisions.where(decided >= place.at)
        sources = (
            _Source(executions, _BY_CHANGE),
            _Source(failures, _BY_RECORD),
            _Source(decisions, _BY_DECISION),
        )
        return self._render(self._places(sources, limit, oldest=True))

    def get(self, place: LogPosition) -> dict[str, Any] | None:
        """One entry, None when it is not (or no more) there."""
        if place.is_decision:
            decision = self._session.get(RolloutDecisionRow, (self._tenant, place.execution_id))
            return None if decision is None else _of_decision(decision)
        row = self._session.get(ExecutionRow, (self._tenant, place.execution_id))
        if row is None:
            return None
        if place.slot == 0:
            kinds = KINDS.get(row.trigger_id)
            has_entry = row.decision in _ENDED and kinds is not None and kinds.of(row.decision) is not None
            return _of_execution(row) if has_entry else None
        if place.slot > len(row.results) or "error" not in row.results[place.slot - 1]:
            return None
        return _of_failure(row, place)

    def _sources(self, wanted: Wanted) -> list[_Source]:
        """Executions that have an entry, by trigger and decision if types are asked for; then Actions that
        failed, and decisions on rollouts."""
        executions = select(
            ExecutionRow.updated_at.label("at"),
            ExecutionRow.id.label("execution_id"),
            literal(0).label("slot"),
        ).where(ExecutionRow.tenant_id == self._tenant)
        failures = select(
            ExecutionAction.recorded_at.label("at"),
            ExecutionAction.execution_id,
            (ExecutionAction.position + 1).label("slot"),
        ).where(ExecutionAction.tenant_id == self._tenant, ExecutionAction.failed)
        decisions = select(
            RolloutDecisionRow.at.label("at"),
            RolloutDecisionRow.id.label("execution_id"),
            literal(0).label("slot"),
        ).where(RolloutDecisionRow.tenant_id == self._tenant)
        if wanted.since is not None:
            decisions = decisions.where(RolloutDecisionRow.at >= wanted.since)
            executions = executions.where(ExecutionRow.updated_at >= wanted.since)
            failures = failures.where(ExecutionAction.recorded_at >= wanted.since)
        if wanted.until is not None:
            decisions = decisions.where(RolloutDecisionRow.at <= wanted.until)
            executions = executions.where(ExecutionRow.updated_at <= wanted.until)
            failures = failures.where(ExecutionAction.recorded_at <= wanted.until)
        if wanted.types is None:
            return [
                _Source(executions.where(_with_entry(self._session)), _BY_CHANGE),
                _Source(failures, _BY_RECORD),
                _Source(decisions, _BY_DECISION),
            ]
        sources = [
            _Source(
                executions.where(ExecutionRow.trigger_id == trigger, ExecutionRow.decision == decision),
                _BY_CHANGE,
            )
            for trigger, decision, kind in _ENTRIES
            if kind in wanted.types
        ]
        if FAILURE in wanted.types:
            sources.append(_Source(failures, _BY_RECORD))
        if ROLLOUT in wanted.types:
            sources.append(_Source(decisions, _BY_DECISION))
        return sources

    def _places(self, sources: Sequence[_Source], limit: int, *, oldest: bool) -> list[LogPosition]:
        """The first `limit` of all sources. At the same moment executions come before failures, and these
        before decisions, all in the database's own order of ids."""
        found: list[LogPosition] = []
        for query, order in sources:
            ordered = query.order_by(*(column.asc() if oldest else column.desc() for column in order))
            rows = self._session.execute(ordered.limit(limit))
            found += [LogPosition(row.at, row.execution_id, row.slot) for row in rows]
        found.sort(key=lambda place: (place.at, place.turn), reverse=not oldest)
        return found[:limit]

    def _render(self, places: Sequence[LogPosition]) -> list[dict[str, Any]]:
        failed = dict.fromkeys(place.execution_id for place in places if place.slot)
        ended = dict.fromkeys(place.execution_id for place in places if place.turn == 0)
        decided = [place.execution_id for place in places if place.is_decision]
        mine = ExecutionRow.tenant_id == self._tenant
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for execution in self._session.scalars(_light().where(mine, ExecutionRow.id.in_(ended))):
            found[execution.id, 0] = _of_execution(execution)
        query = select(RolloutDecisionRow).where(
            RolloutDecisionRow.tenant_id == self._tenant, RolloutDecisionRow.id.in_(decided)
        )
        for decision in self._session.scalars(query) if decided else ():
            found[decision.id, 0] = _of_decision(decision)
        # Results hold all that Actions printed: a few megabytes of them at a time.
        results = [ExecutionRow.results]
        for portion in portions(self._session, ExecutionRow.id, mine, list(failed), results, MAX_LIST_BYTES):
            rows = self._session.execute(
                select(
                    ExecutionRow.id,
                    ExecutionRow.tenant_id,
                    ExecutionRow.trigger_id,
                    ExecutionRow.hook,
                    *results,
                ).where(mine, ExecutionRow.id.in_(portion))
            )
            for row in rows:
                for place in places:
                    if place.slot and place.execution_id == row.id:
                        found[row.id, place.slot] = _of_failure(row, place)
        keys = ((place.execution_id, place.slot) for place in places)
        return [found[key] for key in keys if key in found]


def _light() -> Select[ExecutionRow]:
    """Executions without what is large of them."""
    large = (defer(ExecutionRow.results, raiseload=True), defer(ExecutionRow.outcome, raiseload=True))
    return select(ExecutionRow).options(*large)


def _with_entry(session: Session) -> Any:
    """Executions that have an entry. Nearly all have: they are looked at in the order of their time, where
    SQLite, which has no statistics, would gather those of each trigger and sort them."""
    trigger_id: Any = ExecutionRow.trigger_id
    if session.get_bind().dialect.name == "sqlite":
        trigger_id = trigger_id.concat("")  # no index is for this
    matching = [
        and_(
            trigger_id == trigger,
            ExecutionRow.decision.in_([decision for of, decision, _ in _ENTRIES if of == trigger]),
        )
        for trigger in KINDS
    ]
    return or_(*matching)


def _of_execution(row: ExecutionRow) -> dict[str, Any]:
    kind = KINDS[row.trigger_id].of(row.decision)
    assert kind is not None  # `_of_types` chooses no others
    details = {"trigger_id": row.trigger_id, "actions": {"executions": [row.id]}, **_calling(row)}
    return _entry(LogPosition(row.updated_at, row.id, 0), row.tenant_id, kind, _DESCRIPTIONS[kind], details)


def _of_failure(row: Any, place: LogPosition) -> dict[str, Any]:
    result = row.results[place.slot - 1]
    error, failure = result["error"], result.get("failure", {})
    details = {
        "trigger_id": row.trigger_id,
        "execution_id": row.id,
        "action_id": result["action_id"],
        "action_name": result["action_name"],
        "version_id": result["version_id"],
        **{name: result[name] for name in _OF_ROLLOUTS if name in result},
        **({"binding_id": result["binding_id"]} if "binding_id" in result else {}),
        "error_class": _ERROR_CLASSES.get(error["id"], "action_error"),
        "action_error": {
            "name": failure.get("name", "Error"),
            "message": failure.get("message", error["msg"]),
            "code": error["id"],
            "stack": "\n".join(failure.get("stack", ())),
        },
        **_calling(row),
    }
    description = f"The Action {result['action_name']} failed: {error['msg']}"
    return _entry(place, row.tenant_id, FAILURE, description, details)


def _calling(row: Any) -> dict[str, Any]:
    """Which hook of an identity provider called; nothing for the runtime API."""
    if not row.hook:
        return {}
    return {"hook": {name: row.hook[name] for name in ("provider", "hook", "result") if name in row.hook}}


def _of_decision(row: RolloutDecisionRow) -> dict[str, Any]:
    details = {
        "trigger_id": row.trigger_id,
        "action_id": row.action_id,
        "action_name": row.action_name,
        "rollout_id": row.rollout_id,
        "decision": row.decision,
        "by": row.actor,
        "stage": row.stage,
        "reason": row.reason,
        "evidence": row.evidence,
    }
    why = f": {row.reason}" if row.reason else ""
    description = f"Rollout of {row.action_name}: {row.decision}{why}"
    return _entry(LogPosition(row.at, row.id, 0), row.tenant_id, ROLLOUT, description, details)


def _entry(
    place: LogPosition, tenant: str, kind: str, description: str, details: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "date": moment(place.at),
        "type": kind,
        "description": description,
        "tenant_name": tenant,
        "details": details,
        "log_id": str(place),
        "_id": str(place),
    }
