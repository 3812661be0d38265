"""Candidates of shadow runs, and the flow of a record with a candidate in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from runner.model.action import Action, FailPolicy
from runner.model.secret_names import flattened
from runner.replay.record import FlowRecord
from runner.shadow.run import in_place
from runner.store import Store
from runner.store.resolved_flow import Reader
from runner.store.running_rollouts import version_before
from runner.store.sealed.sealing import KeyRing
from runner.store.tables.models import ActionRow, ActionVersionRow, BundleRow
from runner.suspension.stores import PinnedAction
from sandbox.core.program import Dependencies, Source

_BUNDLE: Final = TypeAdapter(Dependencies)


class GoneError(Exception):
    """What a recorded flow needs is not kept any more; the message says what."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A draft or a version, as it would run.

    Attributes:
        action_id, name: of the Action.
        revision: of the draft; None for a version.
        rebound: the fail policy is of a binding that is to be made or changed.
    """

    tenant: str
    action_id: str
    name: str
    trigger: str
    action: Action
    revision: int | None = None
    rebound: bool = False


def bound_with(session: Session, ring: KeyRing, row: ActionRow, policy: FailPolicy | None) -> Candidate:
    """The deployed version of the Action, as a binding with this fail policy would run it. Raises
    `SealError`."""
    version = session.get_one(ActionVersionRow, (row.tenant_id, row.deployed_version_id))
    found = version_of(session, ring, row, version)
    before = version_before(session, row.tenant_id, row.id, version.id) if policy else None
    helper = None if before is None else Reader(session, ring, row.tenant_id).candidate(row, before).source
    action = replace(found.action, fail_policy=policy, last_good=helper)
    return replace(found, action=action, rebound=True)


def draft_of(session: Session, ring: KeyRing, row: ActionRow) -> Candidate:
    """The draft, which has to be built. Raises `SealError`."""
    action = Reader(session, ring, row.tenant_id).candidate(row, row)
    return Candidate(row.tenant_id, row.id, row.name, row.trigger_id, action, row.revision)


def with_code(draft: Candidate, code: str) -> Candidate:
    """The draft with another source."""
    source = replace(draft.action.source, text=code)
    return replace(draft, action=replace(draft.action, source=source), revision=None)


def version_of(session: Session, ring: KeyRing, row: ActionRow, version: ActionVersionRow) -> Candidate:
    """A version of the Action. Raises `SealError`."""
    action = Reader(session, ring, row.tenant_id).candidate(row, version)
    return Candidate(row.tenant_id, row.id, row.name, row.trigger_id, action)


@dataclass(frozen=True, slots=True)
class Flow:
    """The Actions of a recorded leg: as they were, and with the candidate. A candidate that was not part of
    the flow runs after all others."""

    control: tuple[Action, ...]
    actions: tuple[Action, ...]


class Flows:
    """Finds the Actions of recorded legs; remembers what they have in common. Safe between threads.

    Args:
        candidate: None for flows as they were.
    """

    def __init__(
        self, store: Store, ring: Callable[[], KeyRing], tenant: str, candidate: Candidate | None = None
    ) -> None:
        self._store = store
        self._ring = ring
        self._tenant = tenant
        self._candidate = candidate
        self._lock = threading.Lock()
        self._bundles: dict[str, Dependencies] = {}
        self._secrets: dict[tuple[str, str], dict[str, str]] = {}

    def of(self, record: FlowRecord) -> Flow:
        """The flow of a leg. Raises `GoneError`, `SealError`."""
        versions = record.context.versions if record.context is not None else ()
        ids = [(item.action_id, item.version_id) for item in versions]
        ids += [("", "")] * (len(record.actions) - len(ids))
        with self._lock:
            pairs = zip(record.actions, ids, strict=False)
            control = tuple(self._control(pinned, *known) for pinned, known in pairs)
        if self._candidate is None:
            return Flow(control, control)
        at = self._place(record, [action_id for action_id, _ in ids], self._candidate)
        candidate = self._candidate.action
        if at is None:
            return Flow(control, (*control, candidate))
        new = in_place(control[at], candidate)
        if self._candidate.rebound:
            new = replace(new, fail_policy=candidate.fail_policy, last_good=candidate.last_good)
        return Flow(control, (*control[:at], new, *control[at + 1 :]))

    def _place(self, record: FlowRecord, ids: list[str], candidate: Candidate) -> int | None:
        if candidate.action_id in ids:
            return ids.index(candidate.action_id)
        names = [action.name for action in record.actions]
        known = candidate.name in names and not any(ids)
        return names.index(candidate.name) if known else None

    def _control(self, pinned: PinnedAction, action_id: str, version_id: str) -> Action:
        values = self._values(pinned, action_id, version_id)
        action = pinned.action({name: values.get(name, "") for name in pinned.wanted})
        last_good = None if action.last_good is None else self._whole(action.last_good)
        return replace(action, source=self._whole(action.source), last_good=last_good)

    def _values(self, pinned: PinnedAction, action_id: str, version_id: str) -> Mapping[str, str]:
        if not pinned.wanted:
            return {}
        key = version_id, action_id or pinned.name
        if key not in self._secrets:
            with self._store.read() as session:
                version = version_id or self._deployed(session, action_id, pinned.name)
                reader = Reader(session, self._ring(), self._tenant)
                found: Any = reader.pinned([version]).secrets[0] if version else {}
            self._secrets[key] = flattened(found)
        return self._secrets[key]

    def _deployed(self, session: Session, action_id: str, name: str) -> str:
        mine = select(ActionRow.deployed_version_id).where(ActionRow.tenant_id == self._tenant)
        query = mine.where(ActionRow.id == action_id if action_id else ActionRow.name == name)
        return session.scalar(query.order_by(ActionRow.created_at).limit(1)) or ""

    def _whole(self, source: Source) -> Source:
        """With the packages that the record may only name."""
        known = source.dependencies
        if known is None or known.bundle or known.archive or known.files:
            return source
        digest = known.digest
        if digest not in self._bundles:
            with self._store.read() as session:
                row = session.get(BundleRow, (self._tenant, digest))
                if row is None:
                    raise GoneError("packages")
                self._bundles[digest] = _BUNDLE.validate_json(row.content)
        return replace(source, dependencies=self._bundles[digest])
