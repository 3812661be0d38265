"""Shared modules and their drafts: list, create, get, change, delete."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.http.described import TAGGED, refusals
from runner.http.errors import ApiError
from runner.http.queries import Absent
from runner.management.base.context import (
    ActionCreator,
    ActionDeleter,
    ActionReader,
    ActionUpdater,
    Caller,
    IfMatch,
    answer,
    box,
    check_match,
    check_room,
    find,
    management_router,
    no_content,
    note,
)
from runner.management.base.paging import DEFAULT_PER_PAGE, Page, PageNumber, PerPage, WantedPage
from runner.management.base.schemas import CreateModule, UpdateModule
from runner.management.modules import responses
from runner.management.modules.drafts import WHAT, ModuleViews, apply_fields, module_etag, publish, uses
from runner.model.caps import MAX_MODULES
from runner.store.sealed.sealing import MODULE, MODULE_VERSION
from runner.store.sealed.suspensions import pinned_versions
from runner.store.tables.columns import new_id
from runner.store.tables.models import ActionRow, ActionVersionRow, ModuleRow, ModuleVersionRow

router: Final = management_router("Modules")
_NAMED: Final = 5
"""How many Actions a refusal names."""


@router.get("/actions/modules", summary="List modules", response_model=responses.ModuleList)
def list_modules(
    caller: ActionReader, page: PageNumber | Absent = None, per_page: PerPage | Absent = None
) -> Response:
    """In the order of their creation; all of them when neither parameter is given."""
    everything = page is None and per_page is None
    wanted = Page(page or 0, MAX_MODULES if everything else per_page or DEFAULT_PER_PAGE)
    with caller.service.store.read() as session:
        mine = select(ModuleRow).where(ModuleRow.tenant_id == caller.tenant)
        rows = session.scalars(mine.order_by(ModuleRow.created_at, ModuleRow.id)).all()
        items = ModuleViews(session, box(caller, session), caller.tenant).modules(wanted.part(rows))
    return answer(wanted.render("modules", items, len(rows), zeros=True))


@router.post(
    "/actions/modules",
    summary="Create a module",
    status_code=201,
    response_model=responses.Module,
    responses={201: TAGGED, **refusals(409)},
)
def create_module(caller: ActionCreator, body: CreateModule) -> Response:
    """With `publish`, version 1 is made at once."""
    row = ModuleRow(
        tenant_id=caller.tenant, id=new_id(), name=body.name, code=body.code, dependencies=[], revision=0
    )
    with caller.service.store.begin() as session:
        check_room(session, ModuleRow, caller.tenant, MAX_MODULES, "modules")
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise ApiError(409, f"There is a module with the name {body.name!r} already.") from None
        secrets = box(caller, session)
        apply_fields(row, body, secrets)
        if body.publish:
            publish(session, row, secrets)
        note(caller, session, "module.create", row.id, row.code)
        session.flush()
        return answer(_view(caller, session, row), 201, module_etag(row))


@router.get(
    "/actions/modules/{module_id}",
    summary="Get a module",
    response_model=responses.Module,
    responses={200: TAGGED},
)
def get_module(caller: ActionReader, module_id: str) -> Response:
    """The draft, and the latest version once there is one."""
    with caller.service.store.read() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT)
        return answer(_view(caller, session, row), 200, module_etag(row))


@router.patch(
    "/actions/modules/{module_id}",
    summary="Change a module's draft",
    response_model=responses.Module,
    responses={200: TAGGED, **refusals(412)},
)
def update_module(
    caller: ActionUpdater, module_id: str, body: UpdateModule, if_match: IfMatch = None
) -> Response:
    """Only what is sent changes; Actions keep the version that they name."""
    with caller.service.store.begin() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT, lock=True)
        check_match(if_match, module_etag(row))
        apply_fields(row, body, box(caller, session))
        note(caller, session, "module.update", row.id, row.code)
        session.flush()
        return answer(_view(caller, session, row), 200, module_etag(row))


@router.delete(
    "/actions/modules/{module_id}", summary="Delete a module", status_code=204, responses=refusals(412)
)
def delete_module(caller: ActionDeleter, module_id: str, if_match: IfMatch = None) -> Response:
    """Refused while an Action uses it: in its draft, its deployed version, or one that a suspended flow goes
    on with. Older versions that use it cannot be rolled back to any more."""
    with caller.service.store.begin() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT, lock=True)
        check_match(if_match, module_etag(row))
        versions = set(_version_ids(session, row))
        users = _users(session, row, versions)
        if users:
            raise ApiError(412, _in_use(users))
        secrets = box(caller, session)
        secrets.remove(MODULE_VERSION, versions)
        secrets.remove(MODULE, [row.id])
        session.delete(row)
        note(caller, session, "module.delete", row.id)
    return no_content()


@router.get(
    "/actions/modules/{module_id}/actions",
    summary="List a module's Actions",
    response_model=responses.ModuleUseList,
)
def list_module_actions(caller: ActionReader, wanted: WantedPage, module_id: str) -> Response:
    """Actions whose draft or deployed version uses the module, with the version that it uses."""
    with caller.service.store.read() as session:
        row = find(session, ModuleRow, caller.tenant, module_id, WHAT)
        numbers = _version_numbers(session, row)
        used = uses(session, caller.tenant)
        items = [
            {
                "action_id": action.id,
                "action_name": action.name,
                "module_version_id": version_id,
                "module_version_number": number,
                "supported_triggers": [{"id": action.trigger_id, "version": action.trigger_version}],
            }
            for version_id, number in numbers.items()
            for action in sorted(
                used.get(version_id, {}).values(), key=lambda item: (item.created_at, item.id)
            )
        ]
    return answer(wanted.render("actions", list(wanted.part(items)), len(items)))


def _view(caller: Caller, session: Session, row: ModuleRow) -> dict[str, Any]:
    return ModuleViews(session, box(caller, session), caller.tenant).modules([row], with_version=True)[0]


def _version_numbers(session: Session, row: ModuleRow) -> dict[str, int]:
    """Numbers of the module's versions by id, newest first."""
    rows = session.execute(
        select(ModuleVersionRow.id, ModuleVersionRow.number)
        .where(ModuleVersionRow.tenant_id == row.tenant_id, ModuleVersionRow.module_id == row.id)
        .order_by(ModuleVersionRow.number.desc())
    )
    return {version_id: number for version_id, number in rows}  # noqa: C416 - rows are no plain tuples


def _version_ids(session: Session, row: ModuleRow) -> list[str]:
    return list(_version_numbers(session, row))


def _users(session: Session, row: ModuleRow, versions: set[str]) -> list[str]:
    """Names of the Actions that run, or are about to run, one of `versions`."""
    used = uses(session, row.tenant_id)
    names = {action.name for version in versions for action in used.get(version, {}).values()}
    pinned = pinned_versions(session, row.tenant_id)
    for name, modules in session.execute(
        select(ActionRow.name, ActionVersionRow.modules)
        .join(
            ActionVersionRow,
            (ActionRow.tenant_id == ActionVersionRow.tenant_id)
            & (ActionRow.id == ActionVersionRow.action_id),
        )
        .where(ActionVersionRow.tenant_id == row.tenant_id, ActionVersionRow.id.in_(pinned))
    ):
        if any(item["module_version_id"] in versions for item in modules):
            names.add(name)
    return sorted(names)


def _in_use(users: list[str]) -> str:
    shown = ", ".join(users[:_NAMED]) + (", ..." if len(users) > _NAMED else "")
    return f"The module is in use by {len(users)} {'action' if len(users) == 1 else 'actions'}: {shown}."
