"""Flows as the service has them: versions, modules, secrets and bindings, written straight into the store."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from runner.management.base.service import Service
from runner.model.action import Action
from runner.model.runtimes import DEFAULT, PYTHON
from runner.store.generations import bump
from runner.store.sealed.sealing import MODULE_VERSION, VERSION, secret_context
from runner.store.tables.models import (
    ActionRow,
    ActionVersionRow,
    BindingRow,
    BundleRow,
    ModuleRow,
    ModuleVersionRow,
    SecretRow,
)
from sandbox.core.program import Dependencies, Language
from sandbox.egress.policy.allow import AllowRule
from triggers import Trigger

_BUNDLE = TypeAdapter(Dependencies)


def deploy(service: Service, tenant: str, trigger: Trigger, actions: Sequence[Action]) -> list[str]:
    """Deploy `actions` and bind them in order to a trigger of `tenant`; their ids."""
    with service.store.begin() as session:
        writer = _Writer(service, session, tenant, trigger)
        ids = [writer.action(position, action) for position, action in enumerate(actions)]
        bump(session, tenant, trigger.id)
    return ids


class _Writer:
    def __init__(self, service: Service, session: Session, tenant: str, trigger: Trigger) -> None:
        self._service = service
        self._session = session
        self._tenant = tenant
        self._trigger = trigger

    def action(self, position: int, action: Action) -> str:
        kind = {
            "tenant_id": self._tenant,
            "code": action.source.text,
            "trigger_id": self._trigger.id,
            "trigger_version": self._trigger.version,
            "runtime": PYTHON if action.language is Language.PYTHON else DEFAULT,
            "egress": None if action.allow is None else [_rule(rule) for rule in action.allow],
        }
        row = ActionRow(id=str(uuid.uuid4()), name=action.name, status="built", **kind)
        version = ActionVersionRow(
            id=str(uuid.uuid4()),
            action_id=row.id,
            number=1,
            bundle=self._bundle(action.source.dependencies),
            modules=[self._module(name, values) for name, values in action.module_secrets.items()],
            **kind,
        )
        row.deployed_version_id = version.id
        self._session.add_all([row])
        self._session.flush()
        self._session.add(version)
        self._session.flush()
        self._session.add(
            BindingRow(
                tenant_id=self._tenant,
                trigger_id=self._trigger.id,
                position=position,
                action_id=row.id,
                display_name=action.name[:100],
                fail_policy=None if action.fail_policy is None else action.fail_policy.value,
            )
        )
        self._secrets(VERSION, version.id, action.secrets)
        return row.id

    def _bundle(self, dependencies: Dependencies | None) -> str | None:
        if dependencies is None:
            return None
        if self._session.get(BundleRow, (self._tenant, dependencies.digest)) is None:
            content = _BUNDLE.dump_json(dependencies).decode()
            self._session.add(BundleRow(tenant_id=self._tenant, digest=dependencies.digest, content=content))
        return dependencies.digest

    def _module(self, name: str, values: Mapping[str, str]) -> dict[str, str]:
        module = ModuleRow(id=str(uuid.uuid4()), tenant_id=self._tenant, name=name, code="")
        version = ModuleVersionRow(
            id=str(uuid.uuid4()), tenant_id=self._tenant, module_id=module.id, number=1, code=""
        )
        self._session.add(module)
        self._session.flush()
        self._session.add(version)
        self._secrets(MODULE_VERSION, version.id, values)
        return {"module_id": module.id, "module_version_id": version.id}

    def _secrets(self, kind: str, owner: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            context = secret_context(self._tenant, kind, owner, name)
            sealed = self._service.keys.ring.seal(value, context)
            self._session.add(
                SecretRow(
                    tenant_id=self._tenant,
                    owner_kind=kind,
                    owner_id=owner,
                    name=name,
                    key_id=sealed.key_id,
                    sealed=sealed.data,
                )
            )


def _rule(rule: AllowRule) -> dict[str, Any]:
    return {"host": rule.host, "methods": sorted(rule.methods), "path_prefixes": list(rule.paths)}
