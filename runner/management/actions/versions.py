"""Deploying a draft, and the versions that came of it."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.http.described import refusals
from runner.http.errors import ApiError, not_found
from runner.management.actions.deploying import check_built, deploy_draft, roll_back
from runner.management.actions.guarding import Force, check_lockout
from runner.management.actions.routes import WHAT, action_etag
from runner.management.actions.serializers import BUILT, ActionViews
from runner.management.base import responses
from runner.management.base.context import (
    ActionCreator,
    ActionReader,
    Caller,
    IfMatch,
    answer,
    box,
    check_match,
    find,
    management_router,
    note,
)
from runner.management.base.paging import WantedPage
from runner.management.base.schemas import DeployVersion
from runner.management.base.text_diff import unified_diff
from runner.management.shadows.candidates import Candidate, draft_of, version_of
from runner.model.caps import MAX_DEPLOY_WAIT_SECONDS
from runner.store import KeyRing
from runner.store.tables.models import ActionRow, ActionVersionRow

router: Final = management_router("Actions")
_VERSION: Final = "version"
_SETTLED: Final = frozenset({BUILT, "failed"})
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


@router.post(
    "/actions/actions/{action_id}/deploy",
    summary="Deploy the draft",
    response_model=responses.ActionVersion,
    responses=refusals(409, 412),
)
async def deploy(
    caller: ActionCreator,
    action_id: str,
    if_match: IfMatch = None,
    wait: Annotated[bool, Query(description="Wait for the build first. (Ours.)")] = False,
    force: Force = None,
) -> Response:
    """The draft becomes the next version and runs wherever the Action is bound. It has to be built.

    A tenant with a lock-out list has it tried on recorded logins first, for a few seconds: 409 when people
    who got in would be denied or fail. `report` of the answer names their executions."""
    if wait:
        await _until_settled(caller, action_id)
    return await run_in_threadpool(_deploy, caller, action_id, if_match, force)


async def _until_settled(caller: Caller, action_id: str) -> None:
    deadline = time.monotonic() + MAX_DEPLOY_WAIT_SECONDS
    pause = _FIRST_PAUSE
    while await run_in_threadpool(_status, caller, action_id) not in _SETTLED and time.monotonic() < deadline:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _status(caller: Caller, action_id: str) -> str:
    with caller.service.store.read() as session:
        return find(session, ActionRow, caller.tenant, action_id, WHAT).status


def _deploy(caller: Caller, action_id: str, if_match: str | None, force: str | None) -> Response:
    def draft(session: Session, ring: KeyRing) -> Candidate:
        row = find(session, ActionRow, caller.tenant, action_id, WHAT)
        check_match(if_match, action_etag(row))
        check_built(row)
        return draft_of(session, ring, row)

    seen = check_lockout(caller, draft, force)
    with caller.service.store.begin() as session:
        row = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        check_match(if_match, action_etag(row))
        if seen is not None and seen.revision != row.revision:
            raise ApiError(
                409, "The draft was changed while it was tried on recorded logins: deploy it again."
            )
        version = deploy_draft(session, row, box(caller, session))
        note(caller, session, "action.deploy", row.id, version.code, force)
        session.flush()
        return answer(_views(caller, session).versions(row, [version])[0])


@router.get(
    "/actions/actions/{action_id}/versions",
    summary="List versions",
    response_model=responses.ActionVersionList,
)
def list_versions(caller: ActionReader, wanted: WantedPage, action_id: str) -> Response:
    """Newest first."""
    with caller.service.store.read() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        mine = select(ActionVersionRow).where(
            ActionVersionRow.tenant_id == caller.tenant, ActionVersionRow.action_id == action.id
        )
        rows, total = wanted.fetch(session, mine, ActionVersionRow.number.desc())
        items = _views(caller, session).versions(action, rows)
    return answer(wanted.render("versions", items, total, zeros=True))


@router.get(
    "/actions/actions/{action_id}/versions/{version_id}",
    summary="Get a version",
    response_model=responses.ActionVersion,
)
def get_version(caller: ActionReader, action_id: str, version_id: str) -> Response:
    """One version; they never change."""
    with caller.service.store.read() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        row = _find_version(session, action, version_id)
        return answer(_views(caller, session).versions(action, [row])[0])


@router.post(
    "/actions/actions/{action_id}/versions/{version_id}/deploy",
    summary="Roll back to a version",
    response_model=responses.ActionVersion,
    responses=refusals(409),
)
def deploy_version(
    caller: ActionCreator,
    action_id: str,
    version_id: str,
    body: DeployVersion | None = None,
    force: Force = None,
) -> Response:
    """A copy of the version becomes the next version and is deployed. The draft changes only with
    `update_draft`. A tenant with a lock-out list has it tried on recorded logins first, as a draft is."""

    def version_to_deploy(session: Session, ring: KeyRing) -> Candidate:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        return version_of(session, ring, action, _find_version(session, action, version_id))

    check_lockout(caller, version_to_deploy, force)
    with caller.service.store.begin() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        old = _find_version(session, action, version_id)
        update_draft = body is not None and body.update_draft
        version = roll_back(session, action, old, box(caller, session), update_draft=update_draft)
        if update_draft:
            caller.service.builds.cancel(session, action)
        note(caller, session, "action.rollback", action.id, version.code, force)
        session.flush()
        return answer(_views(caller, session).versions(action, [version])[0])


@router.get(
    "/actions/actions/{action_id}/versions/{version_id}/diff/{other_id}",
    summary="Compare two versions",
    response_model=responses.VersionDiff,
)
def diff_versions(caller: ActionReader, action_id: str, version_id: str, other_id: str) -> Response:
    """Changes from the first version to the second: `code` as a unified diff, the rest before and after.
    Versions by id or number; `draft` is the draft. (Ours.)"""
    with caller.service.store.read() as session:
        action = find(session, ActionRow, caller.tenant, action_id, WHAT)
        old, new = (
            action if name == "draft" else _find_version(session, action, name)
            for name in (version_id, other_id)
        )
        views = _views(caller, session)
        sides = [_content(views, action, row) for row in (old, new)]
        changed = {
            name: {"from": sides[0][name], "to": sides[1][name]}
            for name in sides[0]
            if name != "code" and sides[0][name] != sides[1][name]
        }
        return answer(
            {
                "from": _label(old),
                "to": _label(new),
                "code": unified_diff(
                    sides[0]["code"], sides[1]["code"], *(f"version {_label(row)}" for row in (old, new))
                ),
                "changes": changed,
            }
        )


def _views(caller: Caller, session: Session) -> ActionViews:
    return ActionViews(session, box(caller, session), caller.tenant)


def _find_version(session: Session, action: ActionRow, name: str) -> ActionVersionRow:
    """By id, or by number. Raises `ApiError` 404."""
    if name.isascii() and name.isdigit() and len(name) < 10:
        row = session.scalar(
            select(ActionVersionRow).where(
                ActionVersionRow.tenant_id == action.tenant_id,
                ActionVersionRow.action_id == action.id,
                ActionVersionRow.number == int(name),
            )
        )
    else:
        row = find(session, ActionVersionRow, action.tenant_id, name, _VERSION)
    if row is None or row.action_id != action.id:
        raise not_found(_VERSION)
    return row


def _content(views: ActionViews, action: ActionRow, row: ActionRow | ActionVersionRow) -> dict[str, Any]:
    value = views.action(row) if isinstance(row, ActionRow) else views.versions(action, [row])[0]
    secrets = [item["name"] for item in value["secrets"]]
    names = ("code", "runtime", "dependencies", "supported_triggers", "modules", "egress")
    return {**{name: value.get(name) for name in names}, "secrets": secrets}


def _label(row: ActionRow | ActionVersionRow) -> str:
    return "draft" if isinstance(row, ActionRow) else str(row.number)
