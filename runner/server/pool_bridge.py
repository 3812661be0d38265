"""Running and building in worker processes, for the threads of the service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from runner.management.base.interfaces import BusyError, LostRunError
from runner.model.action import Action
from runner.model.outcome import FlowOutcome
from runner.model.settings import Settings
from runner.privacy.fidelity import Fidelity
from runner.replay.record import FlowRecord
from runner.shadow.answers import OtherAnswer
from runner.shadow.leg import LegShadow
from runner.workers import BuildCall, LegCall, ShadowCall, StampCall, TooBusyError, WorkerPool
from sandbox.action_build import Build, Module, Wanted
from sandbox.core.failure import BuildError
from sandbox.core.program import Dependencies, Source
from sandbox.packages.npm.lock import Lock
from sandbox.packages.wheels.lock import WheelLock

Result = TypeVar("Result")


class Pooled:
    """A `Builder` and a `FlowRunner` over a pool, usable while `loop` runs it."""

    def __init__(self, pool: WorkerPool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The event loop that runs the pool."""
        self._loop = loop

    def build(
        self,
        tenant: str,
        source: Source,
        wanted: Sequence[Wanted],
        modules: Sequence[Module],
        lock: Lock | WheelLock | None,
        report: Callable[[Build], None],
    ) -> tuple[Build, Dependencies | None]:
        call = BuildCall(source=source, wanted=tuple(wanted), modules=tuple(modules), lock=lock)
        try:
            done = self._wait(self._pool.build(tenant, call, report))
        except TooBusyError as error:
            raise BusyError(str(error), error.retry_after) from None
        return done, None if done.program is None else done.program.source.dependencies

    def run_flow(
        self, tenant: str, trigger: str, event: Mapping[str, Any], actions: Sequence[Action]
    ) -> FlowOutcome:
        call = LegCall(trigger=trigger, event=event, actions=tuple(actions), settings=self._settings)
        try:
            return self._wait(self._pool.run(tenant, call)).outcome
        except TooBusyError as error:
            raise BusyError(str(error), error.retry_after) from None

    def shadow(
        self, tenant: str, record: FlowRecord, actions: Sequence[Action], control: Sequence[Action]
    ) -> LegShadow:
        return self._shadowed(tenant, self._shadow_call(record, actions, control))

    def replay(
        self,
        tenant: str,
        record: FlowRecord,
        actions: Sequence[Action],
        control: Sequence[Action],
        answers: Sequence[OtherAnswer],
    ) -> LegShadow:
        call = self._shadow_call(record, actions, control)
        return self._shadowed(tenant, call.model_copy(update={"answers": tuple(answers)}))

    def _shadow_call(
        self, record: FlowRecord, actions: Sequence[Action], control: Sequence[Action]
    ) -> ShadowCall:
        return ShadowCall(
            record=_bare(record).model_dump_json(by_alias=True),
            actions=tuple(actions),
            control=tuple(control),
            settings=self._settings,
        )

    def _shadowed(self, tenant: str, call: ShadowCall) -> LegShadow:
        try:
            return self._wait(self._pool.shadow(tenant, call))
        except TooBusyError as error:
            raise BusyError(str(error), error.retry_after) from None
        except BuildError as error:
            raise LostRunError(str(error)) from None

    def warm(self, tenant: str, source: Source) -> None:
        self._wait(self._pool.warm(tenant, [source]))

    def busy(self) -> bool:
        """Whether legs wait, run, or have run since this was asked last. For the pool's loop."""
        stats = self._pool.stats()
        before, self._done = self._done, stats.done
        return bool(stats.queue or stats.running or stats.done != before)

    async def stamp(
        self, tenant: str, record: FlowRecord, key: bytes, secrets: Mapping[str, Mapping[str, str]]
    ) -> Fidelity | None:
        """Whether the redacted form of a record reproduces; None when there was no worker to say so. For the
        pool's loop."""
        try:
            found = await self._pool.stamp(tenant, StampCall(record=record, key=key, secrets=secrets))
        except (TooBusyError, BuildError):
            return None
        self._done += 1  # that was us
        return found

    def forget(self, digests: Sequence[str]) -> None:
        """Have the workers drop the programs of versions that are not run any more; does not wait."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed in this moment
                self._loop.call_soon_threadsafe(self._pool.forget, *digests)

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        assert self._loop is not None, "attach() comes before the first call"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _bare(record: FlowRecord) -> FlowRecord:
    """Without packages, which are large: what runs is sent beside it."""
    actions = tuple(
        item.model_copy(update={"source": replace(item.source, dependencies=None), "last_good": None})
        for item in record.actions
    )
    return record.model_copy(update={"actions": actions, "parts": {}})
