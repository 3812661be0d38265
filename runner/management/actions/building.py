"""One build of a draft: what is read before, what is written on the way and at the end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from runner.config.keys import Keys
from runner.flow.redact import Redactor
from runner.jobs.queue import Job
from runner.jobs.worker import Change, Ended
from runner.management.actions.deploying import collect_bundles, deploy_draft
from runner.management.actions.serializers import BUILT
from runner.management.base.context import LOCK
from runner.management.base.interfaces import Builder, BusyError
from runner.management.shadows.candidates import draft_of
from runner.management.shadows.guard import Guard, has_list
from runner.model.runtimes import LANGUAGES, file_name
from runner.rollouts.lifecycle import active_rollout
from runner.store import audit
from runner.store.database.engine import Store
from runner.store.database.upsert import insert_or_keep
from runner.store.sealed.sealing import ACTION, SealError
from runner.store.sealed.secrets import SecretBox
from runner.store.tables.columns import now
from runner.store.tables.models import ActionRow, BundleRow, ModuleRow, ModuleVersionRow
from sandbox.action_build import Build, BuildState, Lock, Module, Wanted
from sandbox.core.caps import MAX_ERROR_MESSAGE_BYTES
from sandbox.core.failure import Failure, FailureCode
from sandbox.core.json_text import cut, utf8_length
from sandbox.core.program import Dependencies, Language, Source
from sandbox.packages.wheels import WheelLock, normalised

BUNDLE: Final = TypeAdapter(Dependencies)
_PASSING: Final = frozenset({"network", "registry"})
"""Rules of `DependencyError` that may be gone a moment later."""
_LATEST: Final = ("", "latest")


@dataclass(frozen=True, slots=True)
class _Order:
    """A draft as it is to be built."""

    revision: int
    source: Source
    wanted: tuple[Wanted, ...]
    modules: tuple[Module, ...]
    lock: Lock | WheelLock | None


class DraftBuilder:
    """Builds drafts and writes what comes of it."""

    def __init__(self, store: Store, keys: Keys, builder: Builder, guard: Guard) -> None:
        self._store = store
        self._keys = keys
        self._builder = builder
        self._guard = guard

    def run(self, job: Job) -> Ended:
        """Build the draft's newest revision. Blocks."""
        with self._store.read() as session:
            order = _order(session, job.tenant, job.payload["action_id"])
        if order is None:
            return Ended()
        state = ""

        def report(build: Build) -> None:
            nonlocal state
            if build.state.value != state and build.state not in (BuildState.BUILT, BuildState.FAILED):
                state = build.state.value
                with self._store.begin() as session:
                    _tell(session, job, order, build, state)

        try:
            build, bundle = self._builder.build(
                job.tenant, order.source, order.wanted, order.modules, order.lock, report
            )
        except BusyError as error:
            return Ended(error=str(error), later=float(error.retry_after))
        failure = build.failure
        if failure is not None and _may_pass(failure) and job.pause is not None:
            again = _Writing(self._store, lambda session: _tell(session, job, order, build, "retrying"))
            return Ended(keep=again.keep, error=failure.message, again=True)
        refused = self._refused(job, build, bundle)
        conclusion = _Writing(
            self._store, lambda session: self._conclude(session, job, order, build, bundle, refused)
        )
        return Ended(keep=conclusion.keep)

    def give_up(self, session: Session, job: Job, error: str) -> None:
        """The draft has failed: its builds ended with the process that made them."""
        row = session.get(ActionRow, (job.tenant, job.payload["action_id"]), with_for_update=LOCK)
        if row is not None:
            text = f"The build was given up: {error}. Change the draft to have it built again."
            row.status, row.errors = "failed", [{"id": FailureCode.INTERNAL.value, "msg": text, "url": ""}]

    def _refused(self, job: Job, build: Build, bundle: Dependencies | None) -> str:
        """Why a draft that is built is not deployed though it was to be; "" when it is."""
        if build.failure is not None or job.payload.get("deploy_as") is None:
            return ""
        with self._store.read() as session:
            row = session.get(ActionRow, (job.tenant, job.payload["action_id"]))
            if row is None or not has_list(session, job.tenant):
                return ""
            try:
                candidate = draft_of(session, self._keys.ring, row)
            except SealError:
                return ""  # it fails for that
        source = replace(candidate.action.source, dependencies=bundle)
        report = self._guard.check(replace(candidate, action=replace(candidate.action, source=source)))
        return report.message() if report.refused else ""

    def _conclude(
        self,
        session: Session,
        job: Job,
        order: _Order,
        build: Build,
        bundle: Dependencies | None,
        refused: str,
    ) -> None:
        row = session.get(ActionRow, (job.tenant, job.payload["action_id"]), with_for_update=LOCK)
        if row is None or row.revision != order.revision:
            return
        secrets = SecretBox(session, self._keys.ring, job.tenant)
        try:
            redactor = Redactor([secrets.values(ACTION, row.id)])
        except SealError as error:
            row.status = "failed"
            row.errors = [{"id": "sealed_value_unreadable", "msg": f"{error}.", "url": ""}]
            return
        row.build_log = redactor.value(_log(build))
        if build.failure is not None:
            row.status, row.errors = "failed", [_error(build.failure, redactor)]
            return
        row.status, row.errors, row.built_at = BUILT, [], now()
        row.lock = build.lock.to_json() if order.wanted else None
        row.dependencies = _concrete(row.dependencies, build.lock)
        row.bundle = _keep_bundle(session, job.tenant, bundle)
        _lock_modules(session, row, build.module_locks)
        session.flush()
        collect_bundles(session, job.tenant)
        client = job.payload.get("deploy_as")
        if refused:
            row.build_log = [*row.build_log, {"at": time.time(), "text": f"Not deployed. {refused}"}]
        elif client is not None and active_rollout(session, job.tenant, row.id) is None:
            version = deploy_draft(session, row, secrets)
            audit.note(session, job.tenant, client, "action.deploy", row.id, version.code)


@dataclass(frozen=True, slots=True)
class _Writing:
    """The result of a build, to be written with the end of its job."""

    store: Store
    change: Change

    async def keep(self, end: Change) -> None:
        def write() -> None:
            with self.store.begin() as session:
                self.change(session)  # first: whoever changes a draft locks it before its job
                end(session)

        await asyncio.to_thread(write)


def _tell(session: Session, job: Job, order: _Order, build: Build, status: str) -> None:
    """Write the state of a build; a draft that is settled stays so, whoever is late."""
    session.execute(
        update(ActionRow)
        .where(
            ActionRow.tenant_id == job.tenant,
            ActionRow.id == job.payload["action_id"],
            ActionRow.revision == order.revision,
            ActionRow.status.not_in((BUILT, "failed")),
        )
        .values(status=status, build_log=_log(build))
    )


def _order(session: Session, tenant: str, action_id: str) -> _Order | None:
    row = session.get(ActionRow, (tenant, action_id))
    if row is None:
        return None
    return _Order(
        revision=row.revision,
        source=Source(LANGUAGES[row.runtime], file_name(row.name, row.runtime), row.code),
        wanted=_wanted(row.dependencies),
        modules=tuple(_modules(session, row)),
        lock=_known(row.lock, LANGUAGES[row.runtime]),
    )


def _modules(session: Session, row: ActionRow) -> list[Module]:
    versions = [item["module_version_id"] for item in row.modules]
    found = session.execute(
        select(ModuleRow.name, ModuleVersionRow)
        .join(
            ModuleVersionRow,
            (ModuleRow.tenant_id == ModuleVersionRow.tenant_id)
            & (ModuleRow.id == ModuleVersionRow.module_id),
        )
        .where(ModuleVersionRow.tenant_id == row.tenant_id, ModuleVersionRow.id.in_(versions))
    )
    return [
        Module(
            name=name,
            filename=file_name(name, row.runtime),
            text=version.code,
            wanted=_wanted(version.dependencies),
            lock=_known(version.lock, LANGUAGES[row.runtime]),
        )
        for name, version in found
    ]


def _known(text: str | None, language: Language) -> Lock | WheelLock | None:
    """The lock of an earlier build; None when it was of the other language, and all is resolved anew."""
    if text is None or ("wheels" in json.loads(text)) != (language is Language.PYTHON):
        return None
    return WheelLock.from_json(text) if language is Language.PYTHON else Lock.from_json(text)


def _wanted(dependencies: list[Any]) -> tuple[Wanted, ...]:
    return tuple(Wanted(item["name"], item["version"]) for item in dependencies)


def _concrete(dependencies: list[Any], lock: Lock | WheelLock) -> list[Any]:
    """`latest` becomes the version that was found; what names a version or range stays as it was written."""
    found = {_package(lock, name): version for name, version in lock.versions.items()}
    return [
        {**item, "version": found.get(_package(lock, item["name"]), item["version"])}
        if item["version"] in _LATEST
        else item
        for item in dependencies
    ]


def _package(lock: Lock | WheelLock, name: str) -> str:
    return normalised(name) if isinstance(lock, WheelLock) else name


def _keep_bundle(session: Session, tenant: str, bundle: Dependencies | None) -> str | None:
    if bundle is None:
        return None
    row = {"tenant_id": tenant, "digest": bundle.digest, "content": BUNDLE.dump_json(bundle).decode()}
    insert_or_keep(session, BundleRow, {**row, "created_at": now()}, refresh=["created_at"])
    return bundle.digest


def _lock_modules(session: Session, row: ActionRow, locks: Mapping[str, Lock | WheelLock]) -> None:
    """The first build that uses a module's version fixes its packages for all later ones."""
    for item in row.modules:
        version = session.get(ModuleVersionRow, (row.tenant_id, item["module_version_id"]))
        module = session.get(ModuleRow, (row.tenant_id, item["module_id"]))
        if version is not None and module is not None and version.lock is None and module.name in locks:
            version.lock = locks[module.name].to_json()


def _may_pass(failure: Failure) -> bool:
    if failure.code is FailureCode.INTERNAL:
        return True
    return failure.code is FailureCode.DEPENDENCY and failure.detail.get("rule") in _PASSING


def _log(build: Build) -> list[Any]:
    return [{"at": line.at, "text": line.text} for line in build.log]


def _error(failure: Failure, redactor: Redactor) -> dict[str, str]:
    """As the API lists errors of a build: `{"id", "msg", "url"}`, within the cap of a message."""
    place = failure.place
    where = (
        "" if place is None else f" ({place.file}:{place.line}{f':{place.column}' if place.column else ''})"
    )
    name = (
        f"{failure.error_name}: " if failure.error_name and failure.error_name not in failure.message else ""
    )
    message, _ = cut(failure.message, MAX_ERROR_MESSAGE_BYTES)
    text = f"{name}{message}{where} {failure.next_step}".strip()
    shown: str = redactor.value(text, lambda: max(0, MAX_ERROR_MESSAGE_BYTES - utf8_length(text)))
    return {"id": failure.code.value, "msg": shown, "url": ""}
