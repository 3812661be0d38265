"""Versions: made from a built draft or from an older version, and dropped when there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from runner.http.errors import ApiError, bad_request
from runner.management.actions.serializers import BUILT
from runner.model.caps import MAX_VERSIONS
from runner.rollouts.lifecycle import active_rollout
from runner.store.generations import bump
from runner.store.running_rollouts import version_before
from runner.store.sealed.sealing import ACTION, VERSION
from runner.store.sealed.secrets import SecretBox
from runner.store.sealed.suspensions import pinned_versions
from runner.store.tables.columns import new_id, now
from runner.store.tables.models import ActionRow, ActionVersionRow, BundleRow, ModuleVersionRow
from runner.store.tables.rollouts import VersionHostRow

_CONTENT: Final = (
    "trigger_id",
    "trigger_version",
    "runtime",
    "code",
    "dependencies",
    "lock",
    "modules",
    "bundle",
    "egress",
)
"""What a version takes over from a draft, and a draft from a version."""


_BUNDLE_REST: Final = timedelta(hours=1)
"""A bundle that nothing uses is kept at least this long."""


def check_built(row: ActionRow) -> None:
    """Raises `ApiError` 400 unless the draft is built. Clients look for the words in quotes and try again
    (reference/clients.md section 3)."""
    if row.status == BUILT:
        return
    why = f" {row.errors[0]['msg']}" if row.errors else ""
    raise bad_request(
        "The action cannot be deployed: it must be in the 'built' state, "
        f"and it is in the {row.status!r} state.{why}"
    )


def check_no_rollout(session: Session, row: ActionRow) -> None:
    """Raises `ApiError` 409 while the Action is rolled out: a deploy beside it would change what the
    candidate is compared with."""
    rollout = active_rollout(session, row.tenant_id, row.id)
    if rollout is not None:
        raise ApiError(
            409,
            f"The action is being rolled out ({rollout.id}, {rollout.state}): promote or abort that first, "
            f"with POST /api/v2/actions/actions/{row.id}/rollouts/{rollout.id}/promote or …/abort.",
            "rollout_active",
        )


def deploy_draft(session: Session, row: ActionRow, secrets: SecretBox) -> ActionVersionRow:
    """Make the draft the next version, and that the deployed one.

    Raises:
        ApiError: as `check_no_rollout` and `check_built` do.
    """
    check_no_rollout(session, row)
    version = version_of_draft(session, row, secrets)
    row.deployed_revision = row.revision
    _release(session, row, version, secrets)
    return version


def version_of_draft(session: Session, row: ActionRow, secrets: SecretBox) -> ActionVersionRow:
    """Make the draft the next version; it is not deployed. Raises `ApiError` as `check_built` does."""
    check_built(row)
    version = _add_version(session, row, row)
    secrets.copy(ACTION, row.id, VERSION, version.id)
    return version


def roll_back(
    session: Session, row: ActionRow, old: ActionVersionRow, secrets: SecretBox, *, update_draft: bool
) -> ActionVersionRow:
    """Make a copy of `old` the next version, and that the deployed one.

    Args:
        update_draft: also put its content into the draft, which is then as built as the version.

    Raises:
        ApiError: as `check_no_rollout` and `copy_of_version` do.
    """
    check_no_rollout(session, row)
    version = copy_of_version(session, row, old, secrets)
    if update_draft:
        for name in _CONTENT:
            setattr(row, name, getattr(old, name))
        row.revision += 1
        row.status, row.errors, row.built_at = BUILT, [], old.built_at
        secrets.copy(VERSION, old.id, ACTION, row.id)
    row.deployed_revision = row.revision if equals_draft(row, old, secrets) else None
    _release(session, row, version, secrets)
    return version


def copy_of_version(
    session: Session, row: ActionRow, old: ActionVersionRow, secrets: SecretBox
) -> ActionVersionRow:
    """Make a copy of `old` the next version; it is not deployed. Raises `ApiError` 400 when a module that it
    uses was deleted."""
    for item in old.modules:
        if session.get(ModuleVersionRow, (row.tenant_id, item["module_version_id"])) is None:
            raise bad_request(
                f"Version {old.number} cannot be deployed again: the module {item['module_id']} that it uses "
                "was deleted."
            )
    version = _add_version(session, row, old)
    secrets.copy(VERSION, old.id, VERSION, version.id)
    return version


def equals_draft(row: ActionRow, version: ActionVersionRow, secrets: SecretBox) -> bool:
    """The draft has the content and the secrets of the version."""
    same = all(
        getattr(row, name) == getattr(version, name) for name in _CONTENT if name not in ("lock", "bundle")
    )
    return same and secrets.same(ACTION, row.id, VERSION, version.id)


def collect_bundles(session: Session, tenant: str) -> None:
    """Delete bundles that no draft and no version of the tenant needs any more; young ones stay, because a
    build that has not committed yet may be about to use them."""
    used = select(ActionRow.bundle).where(ActionRow.tenant_id == tenant, ActionRow.bundle.is_not(None))
    kept = select(ActionVersionRow.bundle).where(
        ActionVersionRow.tenant_id == tenant, ActionVersionRow.bundle.is_not(None)
    )
    session.execute(
        delete(BundleRow).where(
            BundleRow.tenant_id == tenant,
            BundleRow.created_at < now() - _BUNDLE_REST,
            BundleRow.digest.not_in(used.union(kept)),
        )
    )


def _add_version(session: Session, row: ActionRow, content: ActionRow | ActionVersionRow) -> ActionVersionRow:
    version = ActionVersionRow(
        tenant_id=row.tenant_id,
        id=new_id(),
        action_id=row.id,
        number=row.next_number,
        built_at=content.built_at or now(),
        **{name: getattr(content, name) for name in _CONTENT},
    )
    row.next_number += 1
    session.add(version)
    session.flush()
    return version


def _release(session: Session, row: ActionRow, version: ActionVersionRow, secrets: SecretBox) -> None:
    row.deployed_version_id = version.id
    row.updated_at = now()
    session.flush()
    drop_old(session, row, secrets)
    bump(session, row.tenant_id, row.trigger_id)


def drop_old(session: Session, row: ActionRow, secrets: SecretBox) -> None:
    """Keep `MAX_VERSIONS`: the oldest that nothing uses goes. In use are the deployed one, the one before it
    (the fall-back of `last_good`), those that are rolled out, and those that suspended flows go on with."""
    mine = (ActionVersionRow.tenant_id == row.tenant_id, ActionVersionRow.action_id == row.id)
    count = session.scalar(select(func.count()).select_from(ActionVersionRow).where(*mine)) or 0
    if count <= MAX_VERSIONS:
        return
    oldest = session.scalars(
        select(ActionVersionRow.id).where(*mine).order_by(ActionVersionRow.number).limit(count - 2)
    ).all()
    pinned = pinned_versions(session, row.tenant_id) | _used(session, row)
    surplus = [version for version in oldest if version not in pinned][: count - MAX_VERSIONS]
    if surplus:
        secrets.remove(VERSION, surplus)
        session.execute(
            delete(ActionVersionRow).where(
                ActionVersionRow.tenant_id == row.tenant_id, ActionVersionRow.id.in_(surplus)
            )
        )
        forget_hosts(session, row.tenant_id, surplus)
        collect_bundles(session, row.tenant_id)


def _used(session: Session, row: ActionRow) -> set[str]:
    deployed, rollout = row.deployed_version_id, active_rollout(session, row.tenant_id, row.id)
    found = {deployed} if deployed is not None else set()
    if deployed is not None and (before := version_before(session, row.tenant_id, row.id, deployed)):
        found.add(before.id)
    return found if rollout is None else found | {rollout.control_id, rollout.candidate_id}


def forget_hosts(session: Session, tenant: str, versions: Sequence[str]) -> None:
    """Of versions that are deleted."""
    session.execute(
        delete(VersionHostRow).where(
            VersionHostRow.tenant_id == tenant, VersionHostRow.version_id.in_(versions)
        )
    )
