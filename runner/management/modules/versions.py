"""Versions of shared modules: publish, list, get, roll back."""

from __future__ import annotations

from typing import Final

from fastapi import Response
from sqlalchemy import select

from runner.http.described import TAGGED, refusals
from runner.http.errors import not_found
from runner.management.base.context import (
    ActionReader,
    ActionUpdater,
    answer,
    box,
    find,
    management_router,
    note,
)
from runner.management.base.paging import WantedPage
from runner.management.base.schemas import RollbackModule
from runner.management.modules import responses
from runner.management.modules.drafts import WHAT, ModuleViews, module_etag, publish, roll_back
from runner.store.tables.models import ModuleRow, ModuleVersionRow

router: Final = management_router("Modules")
_VERSION: Final = "module version"


@router.post(
    "/actions/modules/{module_id}/versions",
    summary="Publish the draft",
    response_model=responses.ModuleVersion,
    responses=refusals(409, 412),
)
def publish_module(caller: ActionUpdater, module_id: str) -> Response:
    """The draft becomes the next version. Actions go on with the version that they name."""
    with caller.service.store.begin() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT, lock=True)
        secrets = box(caller, session)
        version = publish(session, row, secrets)
        note(caller, session, "module.publish", row.id, version.code)
        return answer(ModuleViews(session, secrets, caller.tenant).versions([version])[0])


@router.get(
    "/actions/modules/{module_id}/versions",
    summary="List a module's versions",
    response_model=responses.ModuleVersionList,
)
def list_module_versions(caller: ActionReader, wanted: WantedPage, module_id: str) -> Response:
    """Newest first."""
    with caller.service.store.read() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT)
        mine = select(ModuleVersionRow).where(
            ModuleVersionRow.tenant_id == caller.tenant, ModuleVersionRow.module_id == row.id
        )
        rows, total = wanted.fetch(session, mine, ModuleVersionRow.number.desc())
        items = ModuleViews(session, box(caller, session), caller.tenant).versions(rows)
    return answer(wanted.render("versions", items, total, zeros=True))


@router.get(
    "/actions/modules/{module_id}/versions/{version_id}",
    summary="Get a module's version",
    response_model=responses.ModuleVersion,
)
def get_module_version(caller: ActionReader, module_id: str, version_id: str) -> Response:
    """One version; they never change."""
    with caller.service.store.read() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT)
        version = find(session, ModuleVersionRow, caller.tenant, version_id, _VERSION)
        if version.module_id != row.id:
            raise not_found(_VERSION)
        return answer(ModuleViews(session, box(caller, session), caller.tenant).versions([version])[0])


@router.post(
    "/actions/modules/{module_id}/rollback",
    summary="Roll a module's draft back",
    response_model=responses.Module,
    response_description="The module with the version's content as its draft.",
    responses={200: TAGGED, **refusals(409)},
)
def roll_back_module(caller: ActionUpdater, module_id: str, body: RollbackModule) -> Response:
    """A version is copied into the draft; nothing is published."""
    with caller.service.store.begin() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT, lock=True)
        version = find(session, ModuleVersionRow, caller.tenant, body.module_version_id, _VERSION)
        if version.module_id != row.id:
            raise not_found(_VERSION)
        secrets = box(caller, session)
        roll_back(row, version, secrets)
        note(caller, session, "module.rollback", row.id, row.code)
        session.flush()
        value = ModuleViews(session, secrets, caller.tenant).modules([row], with_version=True)[0]
        return answer(value, 200, module_etag(row))
