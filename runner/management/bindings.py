"""Triggers, and which Actions are bound to them in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.config.settings import ServiceSettings
from runner.http.answer_types import TriggerId, moment
from runner.http.described import TAGGED, refusals
from runner.http.errors import bad_request, invalid_body, not_found
from runner.http.validation import shown
from runner.management.actions.guarding import Force, check_all
from runner.management.actions.serializers import ActionViews
from runner.management.base import responses
from runner.management.base.context import (
    ActionReader,
    ActionUpdater,
    Caller,
    IfMatch,
    answer,
    box,
    check_match,
    etag,
    management_router,
    note,
)
from runner.management.base.paging import WantedPage
from runner.management.base.schemas import BindingInput, LimitsInput, Reference, UpdateBindings
from runner.management.shadows.candidates import Candidate, bound_with
from runner.model.action import FailPolicy
from runner.model.runtimes import PYTHON
from runner.store import KeyRing
from runner.store.generations import bump
from runner.store.tables.columns import new_id, now
from runner.store.tables.models import ActionRow, BindingRow
from sandbox.core.caps import MIB
from triggers import Trigger, UnknownTriggerError, get_trigger, known_triggers

router: Final = management_router("Triggers")
_POLICIES: Final = {"fail_closed": "closed", "fail_open": "open", "last_good": "last_good"}
_ENTITY_BOUND: Final = "entity-bound"
_NAMES: Final = {stored: name for name, stored in _POLICIES.items()}


@router.get("/actions/triggers", summary="List triggers", response_model=responses.TriggerList)
def list_triggers(caller: ActionReader) -> Response:  # noqa: ARG001
    """Every version of every trigger; not paged. `python3` is ours, on the versions that run here."""
    listed = [version for item in known_triggers() if item.listed for version in _versions(item)]
    return answer({"triggers": listed})


@router.get(
    "/actions/triggers/{trigger_id}/bindings",
    summary="List bindings",
    response_model=responses.BindingList,
    responses={200: TAGGED},
)
def list_bindings(caller: ActionReader, wanted: WantedPage, trigger_id: TriggerId) -> Response:
    """In the order of execution; empty for triggers that are bound to entities."""
    _known(trigger_id)
    with caller.service.store.read() as session:
        rows = _bound(session, caller.tenant, trigger_id)
        items = _views(caller, session, list(wanted.part(rows)))
        return answer(wanted.render("bindings", items, len(rows)), 200, _etag(rows))


@router.patch(
    "/actions/triggers/{trigger_id}/bindings",
    summary="Replace the bindings",
    response_model=responses.BindingSet,
    responses={200: TAGGED, **refusals(409, 412)},
)
def update_bindings(
    caller: ActionUpdater,
    trigger_id: TriggerId,
    body: UpdateBindings,
    if_match: IfMatch = None,
    force: Force = None,
) -> Response:
    """The complete new list, in order. `binding_id` keeps a binding; an Action by id or name gets a new
    one. A tenant with a lock-out list has Actions that are bound anew, or get another fail policy, tried on
    recorded logins first, as a deploy is."""
    trigger = _bindable(trigger_id)
    if len(body.bindings) > trigger.max_actions:
        raise bad_request(
            f"{len(body.bindings)} actions are given; {trigger.id} takes at most {trigger.max_actions}.",
            "too_many_entities",
        )

    def bound_anew(session: Session, ring: KeyRing) -> list[Candidate]:
        present = _bound(session, caller.tenant, trigger.id)
        check_match(if_match, _etag(present))
        return _Change(session, caller, trigger, present).candidates(ring, body.bindings)

    check_all(caller, bound_anew, force)
    with caller.service.store.begin() as session:
        bump(session, caller.tenant, trigger.id)  # first, for its row lock: one change at a time
        present = _bound(session, caller.tenant, trigger.id)
        check_match(if_match, _etag(present))
        change = _Change(session, caller, trigger, present)
        rows = [change.row(item, index) for index, item in enumerate(body.bindings)]
        for row in present:
            if row not in rows:
                session.delete(row)
        session.add_all(rows)
        try:
            session.flush()
        except IntegrityError:
            raise bad_request("One of the actions was deleted in this moment.") from None
        note(caller, session, "bindings.update", trigger.id, reason=force)
        value = _views(caller, session, rows)
    return answer({"bindings": value}, 200, _etag(rows))


class _Change:
    """One replacement of a trigger's bindings."""

    def __init__(
        self, session: Session, caller: Caller, trigger: Trigger, present: Sequence[BindingRow]
    ) -> None:
        self._session = session
        self._caller = caller
        self._trigger = trigger
        self._present = {row.id: row for row in present}
        self._by_action = {row.action_id: row for row in present}
        self._seen: dict[str, int] = {}

    def row(self, item: BindingInput, index: int) -> BindingRow:
        """The binding at `index`. Raises `ApiError` 400."""
        kept, action = self._referred(item.ref, index)
        self._check(action, index)
        before = kept or self._by_action.get(action.id)
        row = kept or BindingRow(
            tenant_id=self._caller.tenant,
            id=new_id(),
            trigger_id=self._trigger.id,
            action_id=action.id,
            display_name=action.name,
            fail_policy=before.fail_policy if before else None,
            limits=dict(before.limits) if before else {},
            record=before.record if before else None,
            created_at=now(),
            updated_at=now(),
        )
        if item.display_name is not None and item.display_name != row.display_name:
            row.display_name, row.updated_at = item.display_name, now()
        if "fail_policy" in item.model_fields_set:
            row.fail_policy = None if item.fail_policy is None else _POLICIES[item.fail_policy]
        if "limits" in item.model_fields_set:
            row.limits = _limits(item.limits, self._caller.service.settings, index)
        if "record" in item.model_fields_set:
            row.record = item.record
        row.position = index
        return row

    def candidates(self, ring: KeyRing, items: Sequence[BindingInput]) -> list[Candidate]:
        """What would run that does not now, or would stop a login where it does not now. Raises
        `ApiError`."""
        found = []
        for index, item in enumerate(items):
            kept, action = self._referred(item.ref, index)
            self._check(action, index)
            before = kept or self._by_action.get(action.id)
            policy = before.fail_policy if before else None
            if "fail_policy" in item.model_fields_set:
                policy = None if item.fail_policy is None else _POLICIES[item.fail_policy]
            if before is None or policy != before.fail_policy:
                chosen = None if policy is None else FailPolicy(policy)
                found.append(bound_with(self._session, ring, action, chosen))
        return found

    def _referred(self, ref: Reference, index: int) -> tuple[BindingRow | None, ActionRow]:
        tenant, kept = self._caller.tenant, None
        query = select(ActionRow).where(ActionRow.tenant_id == tenant)
        if ref.type == "binding_id":
            kept = self._present.get(ref.value.lower())
            query = query.where(ActionRow.id == (kept.action_id if kept is not None else ""))
        elif ref.type == "action_id":
            query = query.where(ActionRow.id == ref.value.lower())
        else:
            query = query.where(ActionRow.name == ref.value)
        action = self._session.scalar(query)
        if action is None:
            raise invalid_body(
                f"'there is no {ref.type.replace('_', ' ')} {shown(ref.value)}' "
                f"at $.bindings[{index}].ref.value."
            )
        return kept, action

    def _check(self, action: ActionRow, index: int) -> None:
        place = f"at $.bindings[{index}]."
        name = shown(action.name)
        if action.trigger_id != self._trigger.id:
            raise invalid_body(
                f"'the action {name} is for {action.trigger_id}, not for {self._trigger.id}' {place}"
            )
        if action.deployed_version_id is None:
            raise invalid_body(
                f"'the action {name} has no deployed version: deploy it before it is bound' {place}"
            )
        first = self._seen.setdefault(action.id, index)
        if first != index:
            raise invalid_body(f"'the action {name} is bound twice, here and at index {first}' {place}")


def _limits(given: LimitsInput | None, settings: ServiceSettings, index: int) -> dict[str, Any]:
    """As the store keeps them: members of `sandbox.core.caps.Limits`. Raises `ApiError` 400 above those of
    the installation."""
    if given is None:
        return {}
    highest = {"wall_ms": settings.wall_ms, "memory_mb": settings.memory_mb}
    asked = given.model_dump(exclude_none=True)
    for name, value in asked.items():
        if value > highest[name]:
            raise invalid_body(
                f"'{name} may be at most {highest[name]} here' at $.bindings[{index}].limits.{name}."
            )
    if not asked:
        return {}
    whole = highest | asked
    return {"wall_ms": whole["wall_ms"], "memory_bytes": whole["memory_mb"] * MIB}


def _bound(session: Session, tenant: str, trigger_id: str) -> list[BindingRow]:
    return list(
        session.scalars(
            select(BindingRow)
            .where(BindingRow.tenant_id == tenant, BindingRow.trigger_id == trigger_id)
            .order_by(BindingRow.position)
        )
    )


def _views(caller: Caller, session: Session, rows: Sequence[BindingRow]) -> list[dict[str, Any]]:
    query = select(ActionRow).where(
        ActionRow.tenant_id == caller.tenant, ActionRow.id.in_([row.action_id for row in rows])
    )
    views = ActionViews(session, box(caller, session), caller.tenant)
    actions = views.bound_actions(session.scalars(query).all())
    return [_view(row, actions[row.action_id]) for row in rows]


def _view(row: BindingRow, action: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": row.id,
        "trigger_id": row.trigger_id,
        "action": action,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "display_name": row.display_name,
    }
    if row.fail_policy is not None:
        value["fail_policy"] = _NAMES[row.fail_policy]
    if row.limits:
        value["limits"] = {"wall_ms": row.limits["wall_ms"], "memory_mb": row.limits["memory_bytes"] // MIB}
    if row.record is not None:
        value["record"] = row.record
    return value


def _etag(rows: Sequence[BindingRow]) -> str:
    facts = [
        (row.id, row.display_name, row.fail_policy, sorted(row.limits.items()), row.record) for row in rows
    ]
    return etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32])


def _versions(trigger: Trigger) -> list[dict[str, Any]]:
    return [
        {
            "id": trigger.id,
            "version": version.name,
            "status": version.status,
            "runtimes": [*version.runtimes, *([PYTHON] if version.status == "CURRENT" else [])],
            "default_runtime": version.default_runtime,
            "compatible_triggers": [{"id": other, "version": name} for other, name in version.compatible],
            "binding_policy": trigger.binding_policy,
        }
        for version in trigger.versions
    ]


def _known(trigger_id: str) -> Trigger:
    """Raises `ApiError` 404."""
    try:
        return get_trigger(trigger_id)
    except UnknownTriggerError:
        raise not_found("trigger") from None


def _bindable(trigger_id: str) -> Trigger:
    """Raises `ApiError`: 404 for an unknown trigger, 400 for one that is not bound here."""
    trigger = _known(trigger_id)
    if trigger.experimental:
        raise bad_request(
            f"Nothing can be bound to {trigger_id}: it is experimental, and its Actions can only be tested."
        )
    if trigger.binding_policy == _ENTITY_BOUND:
        raise bad_request(f"Nothing can be bound to {trigger_id} here: it is an entity-bound trigger.")
    return trigger
