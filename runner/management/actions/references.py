"""Actions that an entity is to run: which ones may be attached, and what keeps one from being deleted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from runner.http.errors import ApiError, invalid_body
from runner.http.validation import shown
from runner.store.tables.entities import EventStreamRow, TokenExchangeProfileRow
from runner.store.tables.models import ActionRow

_SHOWN: Final = 3
"""Names in one message."""


def attachable(session: Session, tenant: str, action_id: str, trigger: str, place: str) -> ActionRow:
    """The deployed Action of `trigger` that a request names at the JSON path `place`.

    Raises:
        ApiError: 400.
    """
    action = session.get(ActionRow, (tenant, action_id.lower()))
    if action is None:
        raise invalid_body(f"'there is no action {shown(action_id)}' at {place}.")
    if action.trigger_id != trigger:
        raise invalid_body(
            f"'the action {shown(action.name)} is for {action.trigger_id}, not for {trigger}' at {place}."
        )
    if action.deployed_version_id is None:
        raise invalid_body(
            f"'the action {shown(action.name)} has no deployed version: deploy it first' at {place}."
        )
    return action


def check_unattached(session: Session, action: ActionRow) -> None:
    """Raises `ApiError` 409 while an entity runs the Action; `force` does not help, because an entity is
    nothing without its Action."""
    for what, table, name in (
        ("token exchange profile", TokenExchangeProfileRow, TokenExchangeProfileRow.name),
        ("event stream", EventStreamRow, func.coalesce(EventStreamRow.name, EventStreamRow.id)),
    ):
        users = session.scalars(
            select(name)
            .where(table.tenant_id == action.tenant_id, table.action_id == action.id)
            .order_by(table.created_at)
            .limit(_SHOWN)
        ).all()
        if users:
            names = ", ".join(shown(user) for user in users)
            raise ApiError(409, f"The action is used by the {what} {names}: delete that first.")
