"""The flow that a trigger runs now: bound Actions in order, with their deployed versions and secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.model.action import Action, FailPolicy
from runner.model.arms import CANARY, Arms, Assigned
from runner.model.runtimes import LANGUAGES, file_name
from runner.store.attached_actions import Entity, action_of, is_switched_off
from runner.store.running_rollouts import (
    ROLLOUT_KEY,
    RunningRollout,
    running_rollouts,
    version_before,
)
from runner.store.sealed.kept_versions import KeptVersionRow, kept_secrets
from runner.store.sealed.sealing import (
    ACTION,
    MODULE_VERSION,
    ROLLOUT,
    VERSION,
    KeyRing,
    Sealed,
    secret_context,
)
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
    """The version of an Action in a flow.

    Attributes:
        binding_id: "" for triggers that are bound to entities.
        number: None when its Action was deleted.
        assigned: why it is this version; None when there was nothing to choose.
    """

    action_id: str
    action_name: str
    version_id: str
    binding_id: str = ""
    number: int | None = None
    assigned: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """The other version of the Action at `index` of a flow, while a rollout runs, and who gets it."""

    index: int
    action: Action
    version: BoundVersion
    arms: Arms


@dataclass(frozen=True, slots=True)
class BoundFlow:
    """The Actions of a trigger, and which versions they are, in order.

    Attributes:
        off: they are not to run now.
        record: the policy for records of each, as text: its binding's, or the tenant's; None for the
            installation's.
        candidates: of the Actions that are rolled out.
        ahead: what is rolled out and runs for nobody yet.
    """

    actions: tuple[Action, ...]
    versions: tuple[BoundVersion, ...]
    off: bool = False
    record: tuple[str | None, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    ahead: tuple[Source, ...] = ()

    def chosen(self, event: Mapping[str, Any]) -> BoundFlow:
        """The flow for one event: of each Action that is rolled out, the version that its arm runs."""
        if not self.candidates:
            return self
        actions, versions = list(self.actions), list(self.versions)
        for candidate in self.candidates:
            assigned, index = candidate.arms.assign(event), candidate.index
            if assigned.arm == CANARY:
                actions[index], versions[index] = candidate.action, candidate.version
            versions[index] = replace(versions[index], assigned=assigned)
        return replace(self, actions=tuple(actions), versions=tuple(versions))


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
        off = is_switched_off(self._session, self._tenant, trigger)
        return self._flow([(action, binding) for binding, action in rows], off=off)

    def attached(self, trigger: str, entity: Entity) -> BoundFlow:
        """The Action of an entity, for triggers that are bound to entities; empty when there is none."""
        action_id = action_of(self._session, self._tenant, entity)
        action = None if action_id is None else self._session.get(ActionRow, (self._tenant, action_id))
        if action is None or action.trigger_id != trigger or action.deployed_version_id is None:
            return BoundFlow((), ())
        return self._flow([(action, None)])

    def candidate(self, action: ActionRow, content: ActionRow | ActionVersionRow) -> Action:
        """A draft or a version of `action`, as it would run where nothing is bound."""
        kind = ACTION if isinstance(content, ActionRow) else VERSION
        return Action(
            name=action.name,
            source=self._source(action.name, content),
            secrets=self._secrets(kind, content.id),
            module_secrets=self._module_secrets(content),
            allow=_allow(content.egress),
        )

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
        return BoundVersion(*known, version_id, number=version.number), values

    def _kept(self, version_id: str) -> tuple[BoundVersion, dict[str, Any]]:
        row = self._session.get(KeptVersionRow, (self._tenant, version_id))
        known = ("", "") if row is None else (row.action_id, row.action_name)
        box = SecretBox(self._session, self._ring, self._tenant)
        return BoundVersion(*known, version_id), kept_secrets(box, version_id)

    def _policy(self) -> str | None:
        chosen = self._session.scalar(select(Tenant.settings).where(Tenant.id == self._tenant)) or {}
        policy: str | None = chosen.get("records", {}).get("policy")
        return policy

    def _flow(self, bound: Sequence[tuple[ActionRow, BindingRow | None]], *, off: bool = False) -> BoundFlow:
        actions: list[Action] = []
        versions: list[BoundVersion] = []
        record: list[str | None] = []
        candidates: list[Candidate] = []
        ahead: list[Source] = []
        usual = self._policy()
        running = running_rollouts(self._session, self._tenant, [action.id for action, _ in bound])
        for action, binding in bound:
            if action.deployed_version_id is None:
                continue
            control = self._version(action.deployed_version_id)
            assert control is not None, "a deployed version is never deleted"
            rollout = running.get(action.id)
            if rollout is not None and rollout.percent == 0:
                candidate = self._version(rollout.candidate_id)
                assert candidate is not None, "a version that is rolled out is never deleted"
                ahead.append(self._source(action.name, candidate))
            elif rollout is not None:
                candidates.append(self._candidate(len(actions), action, binding, control, rollout))
            actions.append(self._action(action, binding, control, self._version_before))
            versions.append(_bound_version(action, binding, control))
            record.append(usual if binding is None or binding.record is None else binding.record)
        return BoundFlow(tuple(actions), tuple(versions), off, tuple(record), tuple(candidates), tuple(ahead))

    def _candidate(
        self,
        index: int,
        action: ActionRow,
        binding: BindingRow | None,
        control: ActionVersionRow,
        rollout: RunningRollout,
    ) -> Candidate:
        version = self._version(rollout.candidate_id)
        assert version is not None, "a version that is rolled out is never deleted"
        key = self._secrets(ROLLOUT, rollout.id)[ROLLOUT_KEY]
        return Candidate(
            index,
            # Whoever falls back, falls back to what the others run.
            self._action(action, binding, version, lambda _: control),
            _bound_version(action, binding, version),
            rollout.arms(bytes.fromhex(key)),
        )

    def _action(
        self,
        action: ActionRow,
        binding: BindingRow | None,
        version: ActionVersionRow,
        before: Callable[[ActionVersionRow], ActionVersionRow | None],
    ) -> Action:
        policy = FailPolicy(binding.fail_policy) if binding is not None and binding.fail_policy else None
        last_good = before(version) if policy is FailPolicy.LAST_GOOD else None
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
        return version_before(self._session, self._tenant, version.action_id, version.id)

    def _source(self, name: str, version: ActionRow | ActionVersionRow) -> Source:
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

    def _module_secrets(self, version: ActionRow | ActionVersionRow) -> dict[str, dict[str, str]]:
        found = {}
        for item in version.modules:
            row = self._session.get(ModuleVersionRow, (self._tenant, item["module_version_id"]))
            module = None if row is None else self._session.get(ModuleRow, (self._tenant, row.module_id))
            if row is not None and module is not None:
                found[module.name] = self._secrets(MODULE_VERSION, row.id)
        return found


def _bound_version(action: ActionRow, binding: BindingRow | None, version: ActionVersionRow) -> BoundVersion:
    binding_id = "" if binding is None else binding.id
    return BoundVersion(action.id, action.name, version.id, binding_id, version.number)


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
