"""Rollouts of an Action: started, looked at, held and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.http.described import refusals
from runner.http.errors import ApiError, bad_request, invalid_body, not_found
from runner.http.queries import Absent
from runner.management.actions.deploying import (
    check_built,
    check_no_rollout,
    copy_of_version,
    drop_old,
    equals_draft,
    version_of_draft,
)
from runner.management.actions.guarding import Force, check_lockout
from runner.management.actions.routes import WHAT
from runner.management.base.context import (
    ActionCreator,
    ActionReader,
    Caller,
    answer,
    box,
    find,
    find_named,
    management_router,
    note,
)
from runner.management.base.paging import WantedPage
from runner.management.rollouts import responses
from runner.management.shadows.candidates import Candidate, draft_of, version_of
from runner.management.shadows.routes import differences_of
from runner.management.shadows.schemas import ShadowDifferences
from runner.model.traits import value_at
from runner.rollouts import lifecycle, views
from runner.rollouts.counts import Counts, Watch
from runner.rollouts.guards import evidence, facts
from runner.rollouts.plan import RolloutPlan
from runner.rollouts.shadowing import shadow_of
from runner.shadow.differences import Cause
from runner.store import KeyRing
from runner.store.tables.models import ActionRow, ActionVersionRow
from runner.store.tables.rollouts import RolloutRow
from triggers import get_trigger

router: Final = management_router("Rollouts")
_ROLLOUT: Final = "rollout"
_PATH: Final = "/actions/actions/{action_id}/rollouts"
_WORDS: Final = {
    "pause": "be paused",
    "resume": "be resumed",
    "abort": "be aborted",
    "promote": "be promoted",
}
_Change = Callable[[Session, RolloutRow, str, Mapping[str, Any]], None]


@router.post(
    _PATH,
    summary="Start a rollout",
    status_code=201,
    response_model=responses.Rollout,
    response_description="The rollout, in its first stage.",
    responses=refusals(409),
)
def start_rollout(caller: ActionCreator, action_id: str, body: RolloutPlan, force: Force = None) -> Response:
    """The candidate becomes the next version, and runs for as many users as the stages say. While it lasts
    the Action is not deployed otherwise. With a lock-out list, of the tenant or of the rollout, it is first
    tried on recorded logins, as a deploy is. (Ours.)"""
    seen = _guarded(caller, action_id, body, force)
    _warm(caller, seen, action_id, body)
    with caller.service.store.begin() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        check_no_rollout(session, action)
        _check(action, body)
        if body.candidate.draft and seen is not None and seen.revision != action.revision:
            raise ApiError(
                409, "The draft was changed while it was tried on recorded logins: start it again."
            )
        candidate, revision = _candidate(caller, session, action, body)
        secrets = box(caller, session)
        row = lifecycle.start(
            session,
            secrets,
            action,
            candidate,
            body,
            caller.principal.client_id,
            revision,
            caller.service.queue,
        )
        drop_old(session, action, secrets)
        note(caller, session, "rollout.start", row.id, candidate.code, force)
        session.flush()
        value = views.whole(session, row)
    lifecycle.told(session)
    return answer(value, 201)


def _check(action: ActionRow, body: RolloutPlan) -> None:
    """Raises `ApiError` 400 for what cannot be rolled out, or only to nobody."""
    if action.deployed_version_id is None:
        raise bad_request(
            "The action has no deployed version that the candidate could be compared with: deploy it first."
        )
    first = body.key.partition(".")[0]
    if value_at(get_trigger(action.trigger_id).example_event, first) is None:
        raise invalid_body(
            f"'events of {action.trigger_id} have no {first}: name a key that tells their users apart, such "
            "as client.client_id' at $.key."
        )


def _guarded(caller: Caller, action_id: str, body: RolloutPlan, force: str | None) -> Candidate | None:
    """See that the candidate locks nobody out. Raises `ApiError` 409 when it would."""

    def found(session: Session, ring: KeyRing) -> Candidate:
        return _tried(session, ring, caller, action_id, body)

    return check_lockout(caller, found, force, body.lockout)


def _tried(session: Session, ring: KeyRing, caller: Caller, action_id: str, body: RolloutPlan) -> Candidate:
    """What is to be rolled out. Raises `ApiError` when it cannot be."""
    action = find(session, ActionRow, caller.tenant, action_id, WHAT)
    check_no_rollout(session, action)
    _check(action, body)
    if body.candidate.draft:
        check_built(action)
        return draft_of(session, ring, action)
    return version_of(session, ring, action, _old(session, action, body))


def _warm(caller: Caller, seen: Candidate | None, action_id: str, body: RolloutPlan) -> None:
    """Have the candidate in the workers before anybody gets it, so that its first logins are not the ones
    that wait. `seen`: the candidate, if the guard has looked at it."""
    if seen is None:
        with caller.service.store.read() as session:
            seen = _tried(session, caller.service.keys.ring, caller, action_id, body)
    caller.service.flows.warm(caller.tenant, seen.action.source)


def _candidate(
    caller: Caller, session: Session, action: ActionRow, body: RolloutPlan
) -> tuple[ActionVersionRow, int | None]:
    """The new version, and the revision of the draft that it equals, if any."""
    secrets = box(caller, session)
    if body.candidate.draft:
        return version_of_draft(session, action, secrets), action.revision
    old = _old(session, action, body)
    revision = action.revision if equals_draft(action, old, secrets) else None
    return copy_of_version(session, action, old, secrets), revision


def _old(session: Session, action: ActionRow, body: RolloutPlan) -> ActionVersionRow:
    """The version that a plan names. Raises `ApiError` 400."""
    old = session.scalar(
        select(ActionVersionRow).where(
            ActionVersionRow.tenant_id == action.tenant_id,
            ActionVersionRow.action_id == action.id,
            ActionVersionRow.number == body.candidate.version,
        )
    )
    if old is None:
        raise invalid_body(f"'the action has no version {body.candidate.version}' at $.candidate.version.")
    if old.id == action.deployed_version_id:
        raise invalid_body(
            f"'version {old.number} is the deployed one, and nothing to roll out' at $.candidate.version."
        )
    return old


@router.get(_PATH, summary="List rollouts", response_model=responses.RolloutList)
def list_rollouts(caller: ActionReader, wanted: WantedPage, action_id: str) -> Response:
    """Newest first. (Ours.)"""
    with caller.service.store.read() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        mine = select(RolloutRow).where(
            RolloutRow.tenant_id == caller.tenant, RolloutRow.action_id == action.id
        )
        rows, total = wanted.fetch(session, mine, RolloutRow.created_at.desc(), RolloutRow.id)
        items = [views.brief(session, row) for row in rows]
    return answer(wanted.render("rollouts", items, total))


@router.get(_PATH + "/{rollout_id}", summary="Get a rollout", response_model=responses.Rollout)
def get_rollout(caller: ActionReader, action_id: str, rollout_id: str) -> Response:
    """Its state, the counts of each arm, the evidence of each guard, and what it waits for. (Ours.)"""
    with caller.service.store.read() as session:
        return answer(views.whole(session, _find(caller, session, action_id, rollout_id)))


@router.get(
    _PATH + "/{rollout_id}/differences",
    summary="List what differs",
    response_model=ShadowDifferences,
)
def list_rollout_differences(
    caller: ActionReader,
    action_id: str,
    rollout_id: str,
    cause: Annotated[Cause | Absent, Query(description="Only of this cause.")] = None,
) -> Response:
    """Of the latest shadow stage, as those of a shadow run; nothing when there was none. (Ours.)"""
    with caller.service.store.read() as session:
        row = _find(caller, session, action_id, rollout_id)
        return answer(differences_of(shadow_of(session, row), cause))


@router.post(
    _PATH + "/{rollout_id}/pause",
    summary="Pause a rollout",
    response_model=responses.Rollout,
    responses=refusals(409),
)
def pause_rollout(caller: ActionCreator, action_id: str, rollout_id: str) -> Response:
    """No further stage begins. Nobody changes the version because of it, and the guards go on. (Ours.)"""
    return _change(caller, action_id, rollout_id, "pause", _by_somebody(lifecycle.pause))


@router.post(
    _PATH + "/{rollout_id}/resume",
    summary="Resume a rollout",
    response_model=responses.Rollout,
    responses=refusals(409),
)
def resume_rollout(caller: ActionCreator, action_id: str, rollout_id: str) -> Response:
    """Go on with the stage. After a regression the guards begin anew: whoever resumes has looked at it.
    (Ours.)"""
    return _change(caller, action_id, rollout_id, "resume", _resumed(caller))


@router.post(
    _PATH + "/{rollout_id}/abort",
    summary="Abort a rollout",
    response_model=responses.Rollout,
    responses=refusals(409),
)
def abort_rollout(caller: ActionCreator, action_id: str, rollout_id: str) -> Response:
    """Everybody gets the control again; flows that wait with the candidate go on with it. (Ours.)"""
    return _change(caller, action_id, rollout_id, "abort", _by_somebody(lifecycle.abort))


@router.post(
    _PATH + "/{rollout_id}/promote",
    summary="Promote the candidate",
    response_model=responses.Rollout,
    responses=refusals(409),
)
def promote_rollout(caller: ActionCreator, action_id: str, rollout_id: str) -> Response:
    """The candidate becomes the deployed version at once, whatever stages are left. (Ours.)"""
    return _change(caller, action_id, rollout_id, "promote", _by_somebody(lifecycle.promote))


def _resumed(caller: Caller) -> _Change:
    queue = caller.service.queue
    return lambda session, row, actor, found: lifecycle.resume(session, queue, row, actor, found)


def _by_somebody(change: Callable[[Session, RolloutRow, str, str, Mapping[str, Any]], None]) -> _Change:
    return lambda session, row, actor, found: change(session, row, actor, f"by {actor}", found)


def _change(caller: Caller, action_id: str, rollout_id: str, name: str, change: _Change) -> Response:
    """Raises `ApiError`: 404, and 409 when the rollout is in another state."""
    with caller.service.store.begin() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        row = _find(caller, session, action.id, rollout_id, lock=True)
        counts = Counts.of(session, row)
        found = facts(
            evidence(RolloutPlan.model_validate(row.plan), counts), Watch.model_validate(row.watch), counts
        )
        try:
            change(session, row, caller.principal.client_id, found)
        except lifecycle.NotActiveError as error:
            raise ApiError(409, f"The {error}: it cannot {_WORDS[name]}.", "rollout_state") from None
        note(caller, session, f"rollout.{name}", row.id)
        session.flush()
        value = views.whole(session, row)
    lifecycle.told(session)
    return answer(value)


def _find(
    caller: Caller, session: Session, action_id: str, rollout_id: str, *, lock: bool = False
) -> RolloutRow:
    action = find(session, ActionRow, caller.tenant, action_id, WHAT)
    row = find_named(session, RolloutRow, caller.tenant, rollout_id, _ROLLOUT, lock=lock)
    if row.action_id != action.id:
        raise not_found(_ROLLOUT)
    return row
