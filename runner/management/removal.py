"""Removing an Action with all that belongs to it."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.management.context import box, note
from runner.management.deploying import collect_bundles
from runner.service.auth import Caller
from runner.service.errors import ApiError
from runner.store.generations import bump
from runner.store.models import ActionRow, ActionVersionRow, BindingRow
from runner.store.sealing import ACTION, VERSION


def remove_action(caller: Caller, session: Session, row: ActionRow, *, force: bool) -> None:
    """Delete the Action, its versions and its secrets. `force`: its bindings too.

    Raises:
        ApiError: 409: it is bound, or was attached to something in this moment.
    """
    mine = (BindingRow.tenant_id == caller.tenant, BindingRow.action_id == row.id)
    triggers = set(session.scalars(select(BindingRow.trigger_id).where(*mine)))
    if triggers and not force:
        raise ApiError(
            409,
            f"The action is bound to {', '.join(sorted(triggers))}: "
            "unbind it first, or delete it with force=true.",
        )
    session.execute(delete(BindingRow).where(*mine))
    versions = session.scalars(
        select(ActionVersionRow.id).where(
            ActionVersionRow.tenant_id == caller.tenant, ActionVersionRow.action_id == row.id
        )
    ).all()
    secrets = box(caller, session)
    secrets.remove(VERSION, versions)
    secrets.remove(ACTION, [row.id])
    caller.service.builds.cancel(session, row)
    session.delete(row)
    try:
        session.flush()
    except IntegrityError:
        raise ApiError(409, "The action was bound in this moment.") from None
    collect_bundles(session, caller.tenant)
    for trigger in triggers or {row.trigger_id}:
        bump(session, caller.tenant, trigger)
    note(caller, session, "action.delete", row.id)
