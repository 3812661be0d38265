"""The flow that a trigger runs now: bound Actions in order, with their deployed versions and secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.model.action import Action, FailPolicy
from runner.model.runtimes import LANGUAGES, file_name
from runner.store.attached_actions import Entity, action_of, is_switched_off
from runner.store.sealed.kept_versions import KeptVersionRow, kept_secrets
from runner.store.sealed.sealing import MODULE_VERSION, VERSION, KeyRing, Sealed, secret_context
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.models import (
    ActionRow,
    ActionVersionRow,
    BindingRow,
    BundleRow,
    ModuleRow,
    ModuleVersionRow,
    SecretRow,
    Tenant,
)
from sandbox.core.caps import Limits
from sandbox.core.program import Dependencies, Language, Source
from sandbox.egress.policy.allow import AllowRule

_BUNDLE: Final = TypeAdapter(Dependencies)


@dataclass(frozen=True, slots=True)
class BoundVersion:
    """The version of an Action in a flow. `binding_id`: "" for triggers that are bound to entities."""

    action_id: str
    action_name: str
    version_id: str
    binding_id: str = ""


@dataclass(frozen=True, slots=True)
class BoundFlow:
    """The Actions of a trigger, and which versions they are, in order.

    Attributes:
        off: they are not to run now.
        record: the policy for records of each, as text: its binding's, or the tenant's; None for the
            installation's.
    """

    actions: tuple[Action, ...]
    versions: tuple[BoundVersion, ...]
    off: bool = False
    record: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Pinned:
    """The versions of a suspended flow, and of each its secrets by name, those of its modules under
    `actions:NAME`."""

    versions: tuple[BoundVersion, ...]
    secrets: tuple[dict[str, Any], ...] = field(repr=False)


class Reader:
    """Reads versions with their secrets."""

    def __init__(self, session: Session, ring: KeyRing, tenant: str) -> None:
        self._session = session
        self._ring = ring
        self._tenant = tenant

    def bound(self, trigger: str) -> BoundFlow:
        """The versions bound to `trigger`; Actions that were never deployed are passed over."""
        rows = self._session.execute(
            select(BindingRow, ActionRow)
            .join(
                ActionRow,
                (ActionRow.tenant_id == BindingRow.tenant_id) & (ActionRow.id == BindingRow.action_id),
            )
            .where(BindingRow.tenant_id == self._tenant, BindingRow.trigger_id == trigger)
            .order_by(BindingRow.position)
        ).all()
        actions, versions, record = [], [], []
        usual = self._policy()
        for binding, action in rows:
            if action.deployed_version_id is None:
                continue
            actions.append(self._action(action, binding))
            versions.append(BoundVersion(action.id, action.name, action.deployed_version_id, binding.id))
            record.append(usual if binding.record is None else binding.record)
        off = is_switched_off(self._session, self._tenant, trigger)
        return BoundFlow(tuple(actions), tuple(versions), off, tuple(record))

    def attached(self, trigger: str, entity: Entity) -> BoundFlow:
        """The Action of an entity, for triggers that are bound to entities; empty when there is none."""
        action_id = action_of(self._session, self._tenant, entity)
        action = None if action_id is None else self._session.get(ActionRow, (self._tenant, action_id))
        if action is None or action.trigger_id != trigger or action.deployed_version_id is None:
            return BoundFlow((), ())
        version = BoundVersion(action.id, action.name, action.deployed_version_id)
        return BoundFlow((self._action(action, None),), (version,), record=(self._policy(),))

    def pinned(self, version_ids: Sequence[str]) -> Pinned:
        """The versions that a suspended flow goes on with, of Actions that were deleted meanwhile too."""
        found = [self._pinned(version_id) for version_id in version_ids]
        return Pinned(tuple(version for version, _ in found), tuple(secrets for _, secrets in found))

    def _pinned(self, version_id: str) -> tuple[BoundVersion, dict[str, Any]]:
        version = self._version(version_id)
        if version is None:
            return self._kept(version_id)
        action = self._session.get(ActionRow, (self._tenant, version.action_id))
        known = ("", "") if action is None else (action.id, action.name)
        values: dict[str, Any] = dict(self._secrets(VERSION, version_id))
        values |= {f"actions:{name}": item for name, item in self._module_secrets(version).items()}
        return BoundVersion(*known, version_id), values

    def _kept(self, version_id: str) -> tuple[BoundVersion, dict[str, Any]]:
        row = self._session.get(KeptVersionRow, (self._tenant, version_id))
        known = ("", "") if row is None else (row.action_id, row.action_name)
        box = SecretBox(self._session, self._ring, self._tenant)
        return BoundVersion(*known, version_id), kept_secrets(box, version_id)

    def _policy(self) -> str | None:
        chosen = self._session.scalar(select(Tenant.settings).where(Tenant.id == self._tenant)) or {}
        policy: str | None = chosen.get("records", {}).get("policy")
        return policy

    def _action(self, action: ActionRow, binding: BindingRow | None) -> Action:
        assert action.deployed_version_id is not None
        version = self._version(action.deployed_version_id)
        assert version is not None, "a deployed version is never deleted"
        policy = FailPolicy(binding.fail_policy) if binding is not None and binding.fail_policy else None
        last_good = self._version_before(version) if policy is FailPolicy.LAST_GOOD else None
        if policy is FailPolicy.LAST_GOOD and last_good is None:
            policy = FailPolicy.CLOSED
        return Action(
            name=action.name,
            source=self._source(action.name, version),
            secrets=self._secrets(VERSION, version.id),
            fail_policy=policy,
            last_good=None if last_good is None else self._source(action.name, last_good),
            limits=_limits(binding.limits if binding is not None else {}),
            module_secrets=self._module_secrets(version),
            allow=_allow(version.egress),
        )

    def _version(self, version_id: str) -> ActionVersionRow | None:
        return self._session.get(ActionVersionRow, (self._tenant, version_id))

    def _version_before(self, version: ActionVersionRow) -> ActionVersionRow | None:
        return self._session.scalar(
            select(ActionVersionRow)
            .where(
                ActionVersionRow.tenant_id == self._tenant,
                ActionVersionRow.action_id == version.action_id,
                ActionVersionRow.number < version.number,
            )
            .order_by(ActionVersionRow.number.desc())
            .limit(1)
        )

    def _source(self, name: str, version: ActionVersionRow) -> Source:
        language = LANGUAGES.get(version.runtime, Language.JAVASCRIPT)
        bundle = None
        if version.bundle is not None:
            row = self._session.get(BundleRow, (self._tenant, version.bundle))
            assert row is not None, "a version's bundle is kept with it"
            bundle = _BUNDLE.validate_json(row.content)
        return Source(language, file_name(name, version.runtime), version.code, bundle)

    def _secrets(self, kind: str, owner: str) -> dict[str, str]:
        rows = self._session.scalars(
            select(SecretRow)
            .where(
                SecretRow.tenant_id == self._tenant,
                SecretRow.owner_kind == kind,
                SecretRow.owner_id == owner,
            )
            .order_by(SecretRow.name)
        )
        return {
            row.name: self._ring.open(
                Sealed(row.key_id, row.sealed), secret_context(self._tenant, kind, owner, row.name)
            )
            for row in rows
        }

    def _module_secrets(self, version: ActionVersionRow) -> dict[str, dict[str, str]]:
        found = {}
        for item in version.modules:
            row = self._session.get(ModuleVersionRow, (self._tenant, item["module_version_id"]))
            module = None if row is None else self._session.get(ModuleRow, (self._tenant, row.module_id))
            if row is not None and module is not None:
                found[module.name] = self._secrets(MODULE_VERSION, row.id)
        return found


def _limits(members: Mapping[str, int]) -> Limits | None:
    return Limits(**members) if members else None


def _allow(rules: Sequence[Mapping[str, Any]] | None) -> tuple[AllowRule, ...] | None:
    if rules is None:
        return None
    return tuple(
        AllowRule(
            host=rule["host"],
            methods=frozenset(rule.get("methods", ())),
            paths=tuple(rule.get("path_prefixes", ())),
        )
        for rule in rules
    )
