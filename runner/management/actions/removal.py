"""Removing an Action with all that belongs to it."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from runner.http.errors import ApiError
from runner.management.actions.deploying import collect_bundles, forget_hosts
from runner.management.base.context import Caller, box, note
from runner.rollouts.conductor import forget
from runner.rollouts.lifecycle import active_rollout
from runner.store.generations import bump
from runner.store.resolved_flow import Reader
from runner.store.sealed.kept_versions import KeptVersionRow, keep_version
from runner.store.sealed.sealing import ACTION, ROLLOUT, VERSION, SealError
from runner.store.sealed.suspensions import pinned_versions
from runner.store.tables.columns import now
from runner.store.tables.models import ActionRow, ActionVersionRow, BindingRow
from triggers import get_trigger

_MARGIN: Final = timedelta(minutes=5)
"""Clocks of replicas differ, and a leg has to be written."""


def remove_action(caller: Caller, session: Session, row: ActionRow, *, force: bool) -> None:
    """Delete the Action, its versions and its secrets. `force`: its bindings too. What suspended flows need
    of it stays until none of them waits any more (`runner.store.sealed.kept_versions`).

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
    _keep_for_flows(caller, session, row, set(versions))
    secrets.remove(VERSION, versions)
    secrets.remove(ACTION, [row.id])
    forget_hosts(session, caller.tenant, versions)
    secrets.remove(ROLLOUT, forget(session, caller.tenant, row.id))
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


def _keep_for_flows(caller: Caller, session: Session, row: ActionRow, versions: set[str]) -> None:
    """Keep the versions that flows wait with, and the deployed one, with which a flow that runs now may come
    to wait."""
    settings = caller.service.settings
    needed = versions & pinned_versions(session, caller.tenant)
    if row.deployed_version_id is not None and get_trigger(row.trigger_id).continue_handler is not None:
        needed.add(row.deployed_version_id)
        rollout = active_rollout(session, caller.tenant, row.id)
        if rollout is not None:
            needed.add(rollout.candidate_id)
    wait = timedelta(seconds=settings.handle_seconds, milliseconds=settings.budget_ms) + _MARGIN
    reader = Reader(session, caller.service.keys.ring, caller.tenant)
    for version_id in sorted(needed):
        kept = KeptVersionRow(
            tenant_id=caller.tenant,
            id=version_id,
            action_id=row.id,
            action_name=row.name,
            expires_at=now() + wait,
        )
        secrets: dict[str, Any] = {}
        with contextlib.suppress(SealError):  # what does not open is lost to the flows either way
            secrets = reader.pinned([version_id]).secrets[0]
        keep_version(session, box(caller, session), kept, secrets)
