"""Modules: drafts, versions, and which Actions use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.http.errors import ApiError
from runner.management.actions.drafts import has_secrets, put_secrets
from runner.management.actions.serializers import secret_names
from runner.management.base.context import etag
from runner.management.base.schemas import ModuleFields
from runner.model.caps import MAX_VERSIONS
from runner.store.sealed.sealing import MODULE, MODULE_VERSION
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.columns import new_id, now
from runner.store.tables.models import ActionRow, ActionVersionRow, ModuleRow, ModuleVersionRow

WHAT: Final = "module"


def apply_fields(row: ModuleRow, body: ModuleFields, secrets: SecretBox) -> None:
    """Write what was sent into the draft. Raises `ApiError` 400."""
    sent = body.model_fields_set
    if sent == {"secrets"} and has_secrets(secrets, MODULE, row.id, body.secrets):
        return
    if "code" in sent:
        row.code = getattr(body, "code")  # noqa: B009 - both subclasses have it
    if "dependencies" in sent:
        row.dependencies = [{"name": item.name, "version": item.version} for item in body.dependencies]
        row.lock = None
    if "secrets" in sent:
        put_secrets(secrets, MODULE, row.id, body.secrets)
    row.revision += 1
    row.updated_at = now()


def publish(session: Session, row: ModuleRow, secrets: SecretBox) -> ModuleVersionRow:
    """Make the draft the next version.

    Raises:
        ApiError: 409 when nothing changed since the last one; 412 when there are too many versions in use.
    """
    if row.published_revision == row.revision:
        raise ApiError(409, "There is nothing to publish: the draft is the latest version.")
    _make_room(session, row, secrets)
    version = ModuleVersionRow(
        tenant_id=row.tenant_id,
        id=new_id(),
        module_id=row.id,
        number=row.next_number,
        code=row.code,
        dependencies=row.dependencies,
        lock=row.lock,
    )
    session.add(version)
    session.flush()
    secrets.copy(MODULE, row.id, MODULE_VERSION, version.id)
    row.next_number += 1
    row.latest_version_id = version.id
    row.published_revision = row.revision
    row.updated_at = now()
    session.flush()
    return version


def roll_back(row: ModuleRow, version: ModuleVersionRow, secrets: SecretBox) -> None:
    """Copy a version into the draft. Raises `ApiError` 409 when it is there already."""
    if (
        row.code == version.code
        and row.dependencies == version.dependencies
        and secrets.same(MODULE, row.id, MODULE_VERSION, version.id)
    ):
        raise ApiError(409, "The draft has the content of that version already.")
    row.code, row.dependencies, row.lock = version.code, version.dependencies, version.lock
    secrets.copy(MODULE_VERSION, version.id, MODULE, row.id)
    row.revision += 1
    if row.latest_version_id == version.id:
        row.published_revision = row.revision
    row.updated_at = now()


def uses(session: Session, tenant: str) -> dict[str, dict[str, ActionRow]]:
    """Actions by id, by id of the module's version that their draft or deployed version uses."""
    rows = list(session.scalars(select(ActionRow).where(ActionRow.tenant_id == tenant)))
    actions = {row.id: row for row in rows}
    deployed = session.execute(
        select(ActionVersionRow.action_id, ActionVersionRow.modules).where(
            ActionVersionRow.tenant_id == tenant,
            ActionVersionRow.id.in_([row.deployed_version_id for row in rows if row.deployed_version_id]),
        )
    )
    found: dict[str, dict[str, ActionRow]] = {}
    pairs = [(row.id, row.modules) for row in rows]
    pairs += [(action_id, modules) for action_id, modules in deployed]
    for action_id, modules in pairs:
        for item in modules:
            found.setdefault(item["module_version_id"], {})[action_id] = actions[action_id]
    return found


class ModuleViews:
    """Renders modules and their versions."""

    def __init__(self, session: Session, secrets: SecretBox, tenant: str) -> None:
        self._session = session
        self._secrets = secrets
        self._tenant = tenant

    def modules(self, rows: Sequence[ModuleRow], *, with_version: bool = False) -> list[dict[str, Any]]:
        """`with_version`: with the latest version, as the single module has it and list items do not."""
        names = self._secrets.names(MODULE, [row.id for row in rows])
        latest = self._latest(rows)
        used = self._used()
        return [
            self._module(row, secret_names(names.get(row.id, [])), latest.get(row.id), used, with_version)
            for row in rows
        ]

    def versions(self, rows: Sequence[ModuleVersionRow]) -> list[dict[str, Any]]:
        names = self._secrets.names(MODULE_VERSION, [row.id for row in rows])
        return [
            {
                "id": row.id,
                "module_id": row.module_id,
                "version_number": row.number,
                "code": row.code,
                "secrets": secret_names(names.get(row.id, [])),
                "dependencies": row.dependencies,
                "created_at": moment(row.created_at),
            }
            for row in rows
        ]

    def _module(
        self,
        row: ModuleRow,
        secrets: list[dict[str, str]],
        latest: ModuleVersionRow | None,
        used: dict[str, set[str]],
        with_version: bool,
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            "id": row.id,
            "name": row.name,
            "code": row.code,
            "dependencies": row.dependencies,
            "secrets": secrets,
            "actions_using_module_total": len(used.get(row.id, ())),
            "all_changes_published": row.published_revision == row.revision,
            "created_at": moment(row.created_at),
            "updated_at": moment(row.updated_at),
        }
        if latest is not None:
            value["latest_version_number"] = latest.number
            if with_version:
                version = self.versions([latest])[0]
                value["latest_version"] = {key: item for key, item in version.items() if key != "module_id"}
        return value

    def _latest(self, rows: Sequence[ModuleRow]) -> dict[str, ModuleVersionRow]:
        wanted = [row.latest_version_id for row in rows if row.latest_version_id is not None]
        found = self._session.scalars(
            select(ModuleVersionRow).where(
                ModuleVersionRow.tenant_id == self._tenant, ModuleVersionRow.id.in_(wanted)
            )
        )
        return {version.module_id: version for version in found}

    def _used(self) -> dict[str, set[str]]:
        """Ids of Actions by module."""
        by_version = uses(self._session, self._tenant)
        rows = self._session.execute(
            select(ModuleVersionRow.id, ModuleVersionRow.module_id).where(
                ModuleVersionRow.tenant_id == self._tenant, ModuleVersionRow.id.in_(list(by_version))
            )
        )
        found: dict[str, set[str]] = {}
        for version_id, module_id in rows:
            found.setdefault(module_id, set()).update(by_version[version_id])
        return found


def module_etag(row: ModuleRow) -> str:
    return etag(row.id, row.revision)


def _make_room(session: Session, row: ModuleRow, secrets: SecretBox) -> None:
    """Drop the oldest version that no Action's draft or version uses, if there are too many."""
    mine = (ModuleVersionRow.tenant_id == row.tenant_id, ModuleVersionRow.module_id == row.id)
    count = session.scalar(select(func.count()).select_from(ModuleVersionRow).where(*mine)) or 0
    if count < MAX_VERSIONS:
        return
    used = set(uses(session, row.tenant_id))
    for modules in session.scalars(
        select(ActionVersionRow.modules).where(ActionVersionRow.tenant_id == row.tenant_id)
    ):
        used.update(item["module_version_id"] for item in modules)
    oldest = session.scalars(select(ModuleVersionRow.id).where(*mine).order_by(ModuleVersionRow.number)).all()
    unused = next((version for version in oldest if version not in used), None)
    if unused is None:
        raise ApiError(
            412, f"The module has {count} versions, the most it may have, and Actions use all of them."
        )
    secrets.remove(MODULE_VERSION, [unused])
    session.execute(
        delete(ModuleVersionRow).where(
            ModuleVersionRow.tenant_id == row.tenant_id, ModuleVersionRow.id == unused
        )
    )
