"""Actions, versions and modules as the API answers them (reference/management-api.md section 4).

Absent is absent: nothing is ever answered as null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.http.answer_types import moment
from runner.store.sealed.sealing import ACTION, VERSION
from runner.store.sealed.secrets import SecretBox, SecretName
from runner.store.tables.models import ActionRow, ActionVersionRow, ModuleRow, ModuleVersionRow

BUILT: Final = "built"


def secret_names(names: Sequence[SecretName]) -> list[dict[str, str]]:
    return [{"name": item.name, "updated_at": moment(item.updated_at)} for item in names]


def all_deployed(row: ActionRow) -> bool:
    """The draft equals the deployed version."""
    return row.deployed_version_id is not None and row.deployed_revision == row.revision


class ActionViews:
    """Renders Actions and versions of one tenant; what belongs to them is read for all of them at once."""

    def __init__(self, session: Session, secrets: SecretBox, tenant: str) -> None:
        self._session = session
        self._secrets = secrets
        self._tenant = tenant

    def action(self, row: ActionRow) -> dict[str, Any]:
        """One Action with everything."""
        return self.actions([row])[0]

    def actions(self, rows: Sequence[ActionRow]) -> list[dict[str, Any]]:
        deployed = self._deployed(rows)
        drafts = self._secrets.names(ACTION, [row.id for row in rows])
        released = self._secrets.names(VERSION, [version.id for version in deployed.values()])
        used: list[ActionRow | ActionVersionRow] = [*rows, *deployed.values()]
        modules = self._modules(item for row in used for item in row.modules)
        return [self._action(row, deployed, drafts, released, modules) for row in rows]

    def bound_actions(self, rows: Sequence[ActionRow]) -> dict[str, dict[str, Any]]:
        """Actions by id as they stand in bindings: without what belongs to the draft."""
        left_out = ("code", "dependencies", "runtime", "status", "secrets", "modules", "egress", "errors")
        return {
            item["id"]: {key: value for key, value in item.items() if key not in left_out}
            for item in self.actions(rows)
        }

    def versions(self, action: ActionRow, rows: Sequence[ActionVersionRow]) -> list[dict[str, Any]]:
        """Versions of one Action, with what the Action is beside them."""
        secrets = self._secrets.names(VERSION, [row.id for row in rows])
        modules = self._modules(item for row in rows for item in row.modules)
        brief = {
            "id": action.id,
            "name": action.name,
            "supported_triggers": _triggers(action),
            "created_at": moment(action.created_at),
            "updated_at": moment(action.updated_at),
            "all_changes_deployed": all_deployed(action),
        }
        return [
            {
                "id": row.id,
                "action_id": action.id,
                **_version(row, secrets, modules, deployed=row.id == action.deployed_version_id),
                "action": brief,
            }
            for row in rows
        ]

    def _action(
        self,
        row: ActionRow,
        deployed: Mapping[str, ActionVersionRow],
        drafts: Mapping[str, list[SecretName]],
        released: Mapping[str, list[SecretName]],
        modules: Mapping[str, dict[str, Any]],
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            "id": row.id,
            "name": row.name,
            "supported_triggers": _triggers(row),
            "created_at": moment(row.created_at),
            "updated_at": moment(row.updated_at),
            "code": row.code,
            "dependencies": row.dependencies,
            "runtime": row.runtime,
            "status": row.status,
            "secrets": secret_names(drafts.get(row.id, [])),
        }
        if row.modules:
            value["modules"] = _references(row.modules, modules)
        if row.egress is not None:
            value["egress"] = row.egress
        if row.errors:
            value["errors"] = row.errors
        version = deployed.get(row.id)
        if version is not None:
            value["current_version"] = _current(version)
            value["deployed_version"] = {
                "id": version.id,
                **_version(version, released, modules, deployed=True),
            }
        if row.built_at is not None and row.status == BUILT:
            value["built_at"] = moment(row.built_at)
        value["all_changes_deployed"] = all_deployed(row)
        return value

    def _deployed(self, rows: Sequence[ActionRow]) -> dict[str, ActionVersionRow]:
        """Deployed versions by id of their Action."""
        wanted = [row.deployed_version_id for row in rows if row.deployed_version_id is not None]
        found = self._session.scalars(
            select(ActionVersionRow).where(
                ActionVersionRow.tenant_id == self._tenant, ActionVersionRow.id.in_(wanted)
            )
        )
        return {version.action_id: version for version in found}

    def _modules(self, items: Any) -> dict[str, dict[str, Any]]:
        """References to modules by id of the version."""
        wanted = {item["module_version_id"] for item in items}
        if not wanted:
            return {}
        rows = self._session.execute(
            select(ModuleVersionRow.id, ModuleVersionRow.number, ModuleRow.id, ModuleRow.name)
            .join(
                ModuleRow,
                (ModuleRow.tenant_id == ModuleVersionRow.tenant_id)
                & (ModuleRow.id == ModuleVersionRow.module_id),
            )
            .where(ModuleVersionRow.tenant_id == self._tenant, ModuleVersionRow.id.in_(wanted))
        )
        return {
            version_id: {
                "module_id": module_id,
                "module_name": name,
                "module_version_id": version_id,
                "module_version_number": number,
            }
            for version_id, number, module_id, name in rows
        }


def _triggers(row: ActionRow | ActionVersionRow) -> list[dict[str, str]]:
    return [{"id": row.trigger_id, "version": row.trigger_version}]


def _references(
    items: Sequence[Mapping[str, str]], modules: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    return [modules.get(item["module_version_id"], dict(item)) for item in items]


def _version(
    row: ActionVersionRow,
    secrets: Mapping[str, list[SecretName]],
    modules: Mapping[str, dict[str, Any]],
    *,
    deployed: bool,
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "code": row.code,
        "dependencies": row.dependencies,
        "deployed": deployed,
        "number": row.number,
        "built_at": moment(row.built_at),
        "secrets": secret_names(secrets.get(row.id, [])),
        "status": BUILT,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "runtime": row.runtime,
        "supported_triggers": _triggers(row),
    }
    if row.modules:
        value["modules"] = _references(row.modules, modules)
    if row.egress is not None:
        value["egress"] = row.egress
    return value


def _current(row: ActionVersionRow) -> dict[str, Any]:
    """The older, undocumented duplicate of the deployed version; its status is in upper case."""
    return {
        "id": row.id,
        "code": row.code,
        "runtime": row.runtime,
        "status": "BUILT",
        "number": row.number,
        "build_time": moment(row.built_at),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }
