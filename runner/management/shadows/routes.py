"""Shadows of an Action: start one, read what differs, end it. And the tenant's lock-out list."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Response
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.http.described import refusals
from runner.http.errors import ApiError, bad_request, not_found
from runner.http.queries import Absent
from runner.jobs.policy import SHADOW, shadow_job
from runner.management.actions.deploying import check_built
from runner.management.actions.drafts import check_source_text
from runner.management.actions.routes import WHAT
from runner.management.base.context import (
    ActionCreator,
    ActionReader,
    ActionUpdater,
    Caller,
    answer,
    find,
    management_router,
    no_content,
    note,
)
from runner.management.shadows import schemas
from runner.management.shadows.guard import SETTING, lockout_list
from runner.management.shadows.jobs import CANCELED, DONE, QUEUED, RUNNING, UNFINISHED
from runner.shadow.differences import Cause
from runner.shadow.lockout import LockoutList
from runner.shadow.report import Group, ShadowReport, Tally
from runner.store.tables.columns import new_id, now
from runner.store.tables.models import ActionRow, ActionVersionRow, Tenant
from runner.store.tables.shadows import ShadowRow

router: Final = management_router("Shadows")
_PATH: Final = "/actions/actions/{action_id}/shadows"
_SHADOW: Final = "shadow"
MAX_UNFINISHED: Final = 3
"""Shadows of a tenant that wait or run."""
MAX_KEPT: Final = 100
"""Of a tenant; the oldest that ended go for new ones."""


@router.post(
    _PATH,
    summary="Start a shadow run",
    status_code=202,
    response_model=schemas.Shadow,
    responses=refusals(429),
)
def start_shadow(caller: ActionCreator, action_id: str, body: schemas.CreateShadow) -> Response:
    """The draft, a version or a source runs on recorded executions of the Action's trigger: nothing is sent,
    nothing is applied, and what differs from what happened is counted by cause. (Ours.)"""
    if body.candidate.code is not None:
        check_source_text(body.candidate.code, caller.service.settings, "$.candidate.code")
    with caller.service.store.begin() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        _check_room(session, caller.tenant)
        row = ShadowRow(
            tenant_id=caller.tenant,
            id=new_id(),
            action_id=action.id,
            trigger_id=action.trigger_id,
            candidate=_candidate(session, action, body.candidate),
            wanted=_wanted(body),
            rules=[item.model_dump(mode="json") for item in body.ignore],
            state=QUEUED,
        )
        session.add(row)
        session.flush()
        caller.service.queue.put(
            session, caller.tenant, SHADOW, {"shadow_id": row.id}, job_id=shadow_job(row.id)
        )
        note(caller, session, "shadow.create", row.id)
        return answer(_shown(row), 202)


@router.get(_PATH, summary="List shadow runs", response_model=schemas.ShadowList)
def list_shadows(caller: ActionReader, action_id: str) -> Response:
    """Of the Action, the newest first. (Ours.)"""
    with caller.service.store.read() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        rows = session.scalars(
            select(ShadowRow)
            .where(ShadowRow.tenant_id == caller.tenant, ShadowRow.action_id == action.id)
            .order_by(ShadowRow.created_at.desc(), ShadowRow.id)
            .limit(MAX_KEPT)
        ).all()
        return answer({"shadows": [_shown(row) for row in rows]})


@router.get(f"{_PATH}/{{shadow_id}}", summary="Get a shadow run", response_model=schemas.Shadow)
def get_shadow(caller: ActionReader, action_id: str, shadow_id: str) -> Response:
    """How far it is, and what it found. (Ours.)"""
    with caller.service.store.read() as session:
        return answer(_shown(_find(caller, session, action_id, shadow_id)))


@router.get(
    f"{_PATH}/{{shadow_id}}/differences",
    summary="List what differs",
    response_model=schemas.ShadowDifferences,
)
def list_differences(
    caller: ActionReader,
    action_id: str,
    shadow_id: str,
    cause: Annotated[Cause | Absent, Query(description="Only of this cause.")] = None,
) -> Response:
    """In groups of one cause and path, counted, with the ids of three executions each. Values are not told,
    and of names only those that stand in a source: whoever writes Actions need not be somebody who may read
    events. (Ours.)"""
    with caller.service.store.read() as session:
        return answer(differences_of(_find(caller, session, action_id, shadow_id), cause))


@router.delete(f"{_PATH}/{{shadow_id}}", summary="End a shadow run", status_code=204)
def delete_shadow(caller: ActionCreator, action_id: str, shadow_id: str) -> Response:
    """It ends after the legs that it runs now; what it found stays. One that has ended is deleted. (Ours.)"""
    with caller.service.store.begin() as session:
        row = _find(caller, session, action_id, shadow_id, lock=True)
        if row.state in UNFINISHED:
            row.state, row.updated_at = CANCELED, now()
            caller.service.queue.cancel(session, caller.tenant, shadow_job(row.id))
        else:
            session.delete(row)
        note(caller, session, "shadow.delete", row.id)
    return no_content()


@router.get(
    "/actions/lockout",
    summary="Get the lock-out list",
    response_model=schemas.Lockout,
    responses=refusals(404),
)
def get_lockout(caller: ActionReader) -> Response:
    """Users who must never be kept out by a deploy. (Ours.)"""
    with caller.service.store.read() as session:
        found = lockout_list(_tenant(session, caller).settings)
    if found is None:
        raise not_found("lock-out list")
    return answer(found.model_dump(mode="json", exclude_none=True))


@router.put("/actions/lockout", summary="Set the lock-out list", response_model=schemas.Lockout)
def set_lockout(caller: ActionUpdater, body: LockoutList) -> Response:
    """From now on each deploy is first tried on recorded logins: of people on the list, and the last ones. A
    deploy that would deny somebody who got in, or fail for them, is refused with 409. (Ours.)"""
    value = body.model_dump(mode="json", exclude_none=True)
    with caller.service.store.begin() as session:
        row = _tenant(session, caller, lock=True)
        row.settings = {**row.settings, SETTING: value}
        note(caller, session, "lockout.update", caller.tenant)
    return answer(value)


@router.delete(
    "/actions/lockout", summary="Delete the lock-out list", status_code=204, responses=refusals(404)
)
def delete_lockout(caller: ActionUpdater) -> Response:
    """Deploys are not looked at any more. (Ours.)"""
    with caller.service.store.begin() as session:
        row = _tenant(session, caller, lock=True)
        if SETTING not in row.settings:
            raise not_found("lock-out list")
        row.settings = {name: value for name, value in row.settings.items() if name != SETTING}
        note(caller, session, "lockout.delete", caller.tenant)
    return no_content()


def differences_of(row: ShadowRow | None, cause: Cause | None) -> dict[str, Any]:
    """The groups of a shadow run, or of none, as they are answered."""
    groups = () if row is None else _report(row).groups
    return {"differences": [_group(item) for item in groups if cause in (None, item.cause)]}


def _tenant(session: Session, caller: Caller, *, lock: bool = False) -> Tenant:
    row = session.get(Tenant, caller.tenant, with_for_update=lock or None)
    assert row is not None, "callers are of a tenant"
    return row


def _check_room(session: Session, tenant: str) -> None:
    mine = ShadowRow.tenant_id == tenant
    count = session.scalar(
        select(func.count()).select_from(ShadowRow).where(mine, ShadowRow.state.in_(UNFINISHED))
    )
    if (count or 0) >= MAX_UNFINISHED:
        raise ApiError(
            429,
            f"The tenant has {count} shadow runs that wait or run; it may have {MAX_UNFINISHED}. End one, or "
            "wait.",
            "too_many_shadows",
            headers={"Retry-After": "10"},
        )
    surplus = session.scalars(
        select(ShadowRow.id)
        .where(mine, ShadowRow.state.not_in(UNFINISHED))
        .order_by(ShadowRow.created_at.desc())
        .offset(MAX_KEPT - MAX_UNFINISHED)
    ).all()
    if surplus:
        session.execute(delete(ShadowRow).where(mine, ShadowRow.id.in_(surplus)))


def _candidate(session: Session, action: ActionRow, given: schemas.ShadowCandidate) -> dict[str, Any]:
    if given.version_id is None:
        check_built(action)
        return {"draft": action.revision} if given.code is None else {"code": given.code}
    version = find(session, ActionVersionRow, action.tenant_id, given.version_id, "version")
    if version.action_id != action.id:
        raise not_found("version")
    return {"version_id": version.id}


def _wanted(body: schemas.CreateShadow) -> dict[str, Any]:
    wanted: dict[str, Any] = {"last": body.last}
    if body.since is not None:
        wanted["since"] = body.since.isoformat()
    if body.live_hours is not None:
        if body.since is not None:
            raise bad_request("A live shadow takes what comes from now on: leave out since.", "invalid_body")
        at = now()
        wanted["since"] = at.isoformat()
        wanted["live_until"] = at.fromtimestamp(
            at.timestamp() + body.live_hours * 3600, at.tzinfo
        ).isoformat()
    return wanted


def _find(
    caller: Caller, session: Session, action_id: str, shadow_id: str, *, lock: bool = False
) -> ShadowRow:
    action = find(session, ActionRow, caller.tenant, action_id, WHAT)
    row = find(session, ShadowRow, caller.tenant, shadow_id, _SHADOW, lock=lock)
    if row.action_id != action.id:
        raise not_found(_SHADOW)
    return row


def _report(row: ShadowRow) -> ShadowReport:
    return Tally().report() if row.report is None else ShadowReport.model_validate_json(row.report)


def _group(group: Group) -> dict[str, Any]:
    return {
        "cause": group.cause,
        "path": group.path,
        "count": group.count,
        "unproven": group.unproven,
        "executions": list(group.executions),
    }


def _shown(row: ShadowRow) -> dict[str, Any]:
    report = _report(row)
    version_id = row.candidate.get("version_id")
    candidate = {"version_id": version_id} if version_id else dict.fromkeys(row.candidate, True)
    value: dict[str, Any] = {
        "id": row.id,
        "action_id": row.action_id,
        "trigger_id": row.trigger_id,
        "candidate": candidate,
        "last": row.wanted["last"],
        "state": row.state,
        "done": row.done,
        "compared": report.compared,
        "different": report.different,
        "skipped": report.skipped,
        "causes": {str(cause): count for cause, count in report.causes.items()},
        "self_checks": report.self_checks,
        "faults": [_group(item) for item in report.faults],
        "ignored": [
            {
                **item.rule.model_dump(mode="json", exclude_none=True),
                "count": item.count,
                "expired": item.expired,
            }
            for item in report.ignored
        ],
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
    for name in ("since", "live_until"):
        if name in row.wanted:
            value[name] = moment(row.created_at.fromisoformat(row.wanted[name]))
    if row.error is not None:
        value["error"] = row.error
    if report.bound is not None and row.state in (DONE, RUNNING):
        value["bound"] = report.bound
    return value
