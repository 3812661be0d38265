"""Actions and their drafts: list, create, get, change, delete."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.http.answer_types import TRIGGER_IDS, TriggerId
from runner.http.described import TAGGED, refusals
from runner.http.errors import ApiError, bad_request
from runner.http.queries import Absent
from runner.http.validation import shown
from runner.management.actions import drafts
from runner.management.actions.references import check_unattached
from runner.management.actions.removal import remove_action
from runner.management.actions.serializers import ActionViews
from runner.management.base import responses
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
    etag,
    find,
    management_router,
    no_content,
    note,
)
from runner.management.base.paging import WantedPage
from runner.management.base.schemas import CreateAction, UpdateAction
from runner.model.caps import MAX_ACTION_NAME
from runner.store.generations import bump
from runner.store.tables.columns import new_id
from runner.store.tables.models import ActionRow

router: Final = management_router("Actions")
WHAT: Final = "action"
_ORDER: Final = (ActionRow.created_at, ActionRow.id)


@router.get("/actions/actions", summary="List Actions", response_model=responses.ActionList)
def list_actions(
    caller: ActionReader,
    wanted: WantedPage,
    trigger_id: Annotated[TriggerId | Absent, Query(alias="triggerId", max_length=64)] = None,
    action_name: Annotated[str | Absent, Query(alias="actionName", max_length=MAX_ACTION_NAME)] = None,
    deployed: Annotated[bool | Absent, Query()] = None,
    installed: Annotated[bool | Absent, Query()] = None,
) -> Response:
    """Actions in the order of their creation. `installed=true` finds none: there is no marketplace here."""
    if trigger_id is not None and trigger_id not in TRIGGER_IDS:
        raise bad_request(
            f"Query validation error: 'there is no trigger {shown(trigger_id)}' at $.triggerId.",
            "invalid_query_string",
        )
    query = select(ActionRow).where(ActionRow.tenant_id == caller.tenant)
    if trigger_id is not None:
        query = query.where(ActionRow.trigger_id == trigger_id)
    if action_name is not None:
        query = query.where(ActionRow.name == action_name)
    if deployed is not None:
        never = ActionRow.deployed_version_id.is_(None)
        query = query.where(~never if deployed else never)
    with caller.service.store.read() as session:
        rows, total = ([], 0) if installed else wanted.fetch(session, query, *_ORDER)
        items = ActionViews(session, box(caller, session), caller.tenant).actions(rows)
    return answer(wanted.render("actions", items, total))


@router.post(
    "/actions/actions",
    summary="Create an Action",
    status_code=201,
    response_model=responses.Action,
    response_description="The new Action, to be built.",
    responses={201: TAGGED, **refusals(409)},
)
def create_action(caller: ActionCreator, body: CreateAction) -> Response:
    """Its draft is built in the background; `status` tells how far it is."""
    drafts.check_source(body, caller.service.settings)
    trigger, version = drafts.choose_trigger(body.supported_triggers[0])
    runtime = drafts.runtime_of(body)
    row = ActionRow(
        tenant_id=caller.tenant,
        id=new_id(),
        name=body.name,
        trigger_id=trigger.id,
        trigger_version=version,
        runtime=runtime,
        code=drafts.default_code(runtime, trigger),
        dependencies=[],
        modules=[],
        revision=0,
    )
    home = caller.service.home.creating(caller.principal.client_id)
    with home as keep, caller.service.store.begin() as session:
        check_room(session, ActionRow, caller.tenant, caller.service.settings.tenant_actions, "actions")
        session.add(row)
        _flush(session, body.name)
        drafts.apply_fields(session, row, body, box(caller, session))
        caller.service.builds.enqueue(
            session, row, deploy_as=caller.principal.client_id if body.deploy else None
        )
        note(caller, session, "action.create", row.id, row.code)
        session.flush()
        value = _view(caller, session, row)
        keep(value)
    return answer(value, 201, action_etag(row))


@router.get(
    "/actions/actions/{action_id}",
    summary="Get an Action",
    response_model=responses.Action,
    responses={200: TAGGED},
)
def get_action(caller: ActionReader, action_id: str) -> Response:
    """The draft, and what is deployed. `ETag` is the draft's."""
    with caller.service.store.read() as session:
        row = find(session, ActionRow, caller.tenant, action_id, WHAT)
        return answer(_view(caller, session, row), 200, action_etag(row))


@router.patch(
    "/actions/actions/{action_id}",
    summary="Change the draft",
    response_model=responses.Action,
    response_description="The Action with its new draft, to be built.",
    responses={200: TAGGED, **refusals(409, 412)},
)
def update_action(
    caller: ActionUpdater, action_id: str, body: UpdateAction, if_match: IfMatch = None
) -> Response:
    """Only what is sent changes; `secrets` and `dependencies` are complete new sets. With `If-Match` the
    change is made only when nobody else made one."""
    drafts.check_source(body, caller.service.settings)
    home = caller.service.home.changing(caller.principal.client_id, action_id)
    with home as keep, caller.service.store.begin() as session:
        row = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        check_match(if_match, action_etag(row), lambda: _view(caller, session, row))
        if body.name is not None and body.name != row.name:
            row.name = body.name
            _flush(session, body.name)
            bump(session, caller.tenant, row.trigger_id)
        if body.supported_triggers is not None:
            drafts.change_trigger(session, row, body.supported_triggers[0])
        drafts.apply_fields(session, row, body, box(caller, session))
        if row.status == drafts.PENDING:
            caller.service.builds.enqueue(session, row)
        note(caller, session, "action.update", row.id, row.code)
        session.flush()
        value = _view(caller, session, row)
        keep(value)
    return answer(value, 200, action_etag(row))


@router.delete(
    "/actions/actions/{action_id}", summary="Delete an Action", status_code=204, responses=refusals(409, 412)
)
def delete_action(
    caller: ActionDeleter,
    action_id: str,
    if_match: IfMatch = None,
    force: Annotated[bool, Query(description="Take it out of its bindings first.")] = False,
) -> Response:
    """With all its versions. A bound Action is refused unless `force` is true; one that an entity runs,
    always. Flows that wait with it go on with it until they expire."""
    caller.service.home.check_removal(caller.principal.client_id, action_id)
    with caller.service.store.begin() as session:
        row = find(session, ActionRow, caller.tenant, action_id, WHAT, lock=True)
        check_match(if_match, action_etag(row))
        check_unattached(session, row)
        remove_action(caller, session, row, force=force)
    return no_content()


def action_etag(row: ActionRow) -> str:
    """Of the draft: changes with each PATCH, and not with builds and deploys."""
    return etag(row.id, row.revision)


def _view(caller: Caller, session: Session, row: ActionRow) -> dict[str, Any]:
    return ActionViews(session, box(caller, session), caller.tenant).action(row)


def _flush(session: Session, name: str) -> None:
    """Write the name. Raises `ApiError` 409 when another Action has it."""
    try:
        session.flush()
    except IntegrityError:
        raise ApiError(409, f"There is an action with the name {name!r} already.") from None
