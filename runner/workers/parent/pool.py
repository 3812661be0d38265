"""The pool: what the service's event loop uses to run legs and builds in workers (decision 20)."""

from __future__ import annotations

import asyncio
import json
import secrets as tokens
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from runner.flow.runner import Caches, public_egress
from runner.model.action import source_digest, with_unique_names
from runner.model.errors import FlowError
from runner.model.settings import Settings
from runner.privacy.fidelity import Fidelity
from runner.shadow.leg import LegShadow
from runner.suspension.resume import StoredFlow, plain, read_flow
from runner.suspension.stores import MemoryStore, SuspendedFlow, SuspensionStore, store_key
from runner.workers.parent.dispatch import Dispatcher, refuse
from runner.workers.parent.message_handlers import MessageHandlers
from runner.workers.parent.pool_stats import PoolStats
from runner.workers.parent.requests import (
    BuildCall,
    LegCall,
    LegReply,
    ResumeCall,
    ShadowCall,
    StampCall,
    TooBusyError,
)
from runner.workers.parent.services.builds import BuildService
from runner.workers.parent.services.host_services import Stores
from runner.workers.parent.settings import PoolSettings
from runner.workers.protocol.codec import settings_json
from sandbox.action_build import Build
from sandbox.core.caps import Limits
from sandbox.core.program import Program, Source
from sandbox.egress.model import Egress
from sandbox.packages.npm.origin import Origin
from triggers import CacheStore, Directory, StaticDirectory, get_trigger

WARM_SECONDS: Final = 5.0
"""Longest wait for what makes nothing but the first login faster."""


class WorkerPool:
    """Runs flows as `runner.Runner` does, in processes with few rights. For one event loop.

    Args:
        settings: sizes and limits of the pool.
        egress: how Actions reach the network; the default refuses private addresses.
        store: where suspended flows wait.
        caches: gives the cache of a tenant and trigger.
        directory: gives the directory of a tenant.
        origin: makes the origin of npm packages; the default is the machine's npm registry.
        wheels: folder of the packages of Python Actions; None for none.
    """

    def __init__(
        self,
        settings: PoolSettings | None = None,
        *,
        egress: Egress | None = None,
        store: SuspensionStore | None = None,
        caches: Callable[[str, str], CacheStore] | None = None,
        directory: Callable[[str], Directory] | None = None,
        origin: Callable[[], Origin] | None = None,
        wheels: Path | None = None,
    ) -> None:
        self.settings = settings or PoolSettings()
        self._egress = egress or public_egress()
        self._store = store or MemoryStore()
        stores = Stores(self._store, caches or Caches(), directory or (lambda _tenant: StaticDirectory()))
        self._builds = BuildService(self._compile, origin, wheels)
        self._handlers = MessageHandlers(stores, self._builds)
        self._started: Dispatcher | None = None

    # --- life ---

    async def start(self) -> None:
        """Start the workers; returns when all are ready. Raises `WorkerStartError`."""
        self._started = Dispatcher(self.settings, self._egress, self._handlers.on_message)
        self._handlers.calls = self._started
        await self._started.supervisor.start()

    async def stop(self, grace_seconds: float = 20.0) -> None:
        """Refuse new calls, finish those that wait or run, for at most `grace_seconds`, and end the workers.
        What is left then ends as an `internal` failure."""
        calls = self._started
        if calls is None:
            return
        calls.stopping = True
        deadline = time.monotonic() + grace_seconds
        while calls.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        for call in calls.queue.remove_all(lambda _: True):
            refuse(call, TooBusyError("stopping", 1))
        for worker in calls.supervisor.workers:
            if worker.pending:
                worker.process.kill("stopped")
        self._builds.close()
        await calls.supervisor.stop()
        await self._handlers.finish()

    # --- calls ---

    async def run(self, tenant: str, call: LegCall) -> LegReply:
        """Run the first leg of a flow.

        Raises:
            TooBusyError: nothing ran.
            UnknownTriggerError, EventError, FlowError: as `Runner.run` raises them.
        """
        trigger = get_trigger(call.trigger)
        actions = with_unique_names(call.actions)
        execution_id = call.execution_id or f"exe_{tokens.token_hex(16)}"
        sources = tuple(
            source for action in actions for source in (action.source, action.last_good) if source is not None
        )
        pending = self._calls.call(
            tenant,
            head={
                "t": "leg",
                "trigger": trigger.id,
                "tenant": tenant,
                "execution_id": execution_id,
                "rules": call.executed_rules,
                "settings": settings_json(call.settings),
                "record": None if call.record is None else call.record.wire,
            },
            body=_event_json(trigger, call.event),
            sources=sources,
            settings=call.settings,
        )
        pending.trigger, pending.actions, pending.execution_id = trigger, actions, execution_id
        pending.wish, pending.keep = call.record, call.keep
        reply: LegReply = await self._calls.complete(pending)
        return reply

    async def resume(self, tenant: str, call: ResumeCall) -> LegReply:
        """Run a further leg of a suspended flow.

        Raises:
            TooBusyError: nothing ran; the handle stays usable.
            ResumeError, EventError: as `Runner.resume` raises them.
        """
        key = store_key(tenant, call.handle)
        stored = call.stored or StoredFlow.read(await asyncio.to_thread(self._store.peek, key))
        waiting = stored.flow
        returned = {
            "handle": call.handle,
            "request": plain(call.request),
            "prompt": plain(call.prompt),
            "methods": plain(call.methods),
            "enrolled": plain(call.enrolled),
            "secrets": plain(call.secrets),
            "waiting": stored.text,
        }
        pending = self._calls.call(
            tenant,
            head={
                "t": "resume",
                "tenant": tenant,
                "settings": settings_json(call.settings),
                "record": None if call.record is None else call.record.wire,
            },
            body=_resume_json(returned),
            sources=(),
            settings=call.settings,
        )
        pending.trigger, pending.store_key, pending.keep = get_trigger(waiting.trigger), key, call.keep
        pending.wish = call.record
        pending.execution_id, pending.leg = waiting.execution_id, waiting.leg + 1
        # Without their secrets, which only the worker needs.
        pending.actions = tuple(item.action(dict.fromkeys(item.wanted, "")) for item in waiting.actions)
        reply: LegReply = await self._calls.complete(pending)
        return reply

    async def build(
        self, tenant: str, call: BuildCall, report: Callable[[Build], None] = lambda _: None
    ) -> Build:
        """Build a version of an Action: what `sandbox.action_build.build_action` does, with everything of
        the tenant's compiled in workers.

        Args:
            report: gets every state, in a thread of the build: it may write to a database.

        Returns:
            The last state. Its program has the source to run (`Action.source`) and no code.

        Raises:
            TooBusyError: nothing was built.
        """
        if self._calls.stopping:
            raise TooBusyError("stopping", 1)
        return await self._builds.build(tenant, call, report)

    async def shadow(self, tenant: str, call: ShadowCall) -> LegShadow:
        """Run other sources on a recorded leg, in turn with builds: behind everybody's logins. Nothing is
        sent, and the call has no way to send anything.

        Raises:
            TooBusyError: nothing ran.
            InputError: the record is none that these Actions can be run on.
            BuildError: the worker died of it, or had to be stopped.
        """
        sources = [
            source
            for action in (*call.actions, *call.control)
            for source in (action.source, action.last_good)
            if source is not None
        ]
        pending = self._calls.call(
            tenant,
            head={
                "t": "shadow",
                "budget_ms": call.settings.budget_ms,
                "answers": None if call.answers is None else [asdict(item) for item in call.answers],
            },
            body=call.record.encode(),
            sources=tuple(dict.fromkeys(sources)),
            settings=call.settings,
        )
        pending.actions, pending.control = call.actions, call.control
        reply: LegShadow = await self._calls.complete(pending)
        return reply

    async def _compile(self, tenant: str, source: Source, limits: Limits) -> Program:
        """Raises `BuildError`, `TooBusyError`."""
        pending = self._calls.call(
            tenant,
            head={"t": "build", "limits": asdict(limits)},
            body=b"",
            sources=(source,),
            settings=Settings(),
        )
        await self._calls.complete(pending)
        return Program(source, b"", "")

    async def warm(self, tenant: str, sources: Sequence[Source], seconds: float = WARM_SECONDS) -> None:
        """Have the programs of sources in every worker before a login asks for them, or as many as are
        there in time. What does not build tells whoever runs it."""
        begun = [future for source in sources for future in self._calls.everywhere(tenant, source)]
        for future in begun:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if begun:
            await asyncio.wait(begun, timeout=seconds)

    async def stamp(self, tenant: str, call: StampCall) -> Fidelity:
        """Find out whether the redacted form of a record reproduces. As builds do, it waits for legs.

        Raises:
            TooBusyError: nothing was done.
            BuildError: its worker could not say.
        """
        given = {
            "record": call.record.model_dump(mode="json", by_alias=True),
            "key": call.key.hex(),
            "secrets": {digest: dict(values) for digest, values in call.secrets.items()},
        }
        sources = tuple(
            source
            for action in call.record.actions
            for source in (action.source, action.last_good)
            if source is not None
        )
        pending = self._calls.call(
            tenant,
            head={"t": "stamp"},
            body=await asyncio.to_thread(_json, given),
            sources=sources,
            settings=Settings(),
        )
        found: Fidelity = await self._calls.complete(pending)
        return found

    async def waiting(self, tenant: str, handle: str) -> SuspendedFlow:
        """A suspended flow, without resuming it: which Actions it goes on with, and what secrets they want.
        Raises `ResumeError` as `resume` does."""
        return read_flow(await asyncio.to_thread(self._store.peek, store_key(tenant, handle)))

    def forget(self, *digests: str) -> None:
        """Drop the programs of versions that are not run any more, by `Action.digest`."""
        gone = frozenset(digests)
        for worker in self._calls.supervisor.workers:
            frame = worker.sources.forget(lambda source: source_digest(source) in gone)
            if frame:
                worker.process.send(frame)

    def stats(self) -> PoolStats:
        """The pool's numbers now."""
        return self._calls.stats()

    @property
    def _calls(self) -> Dispatcher:
        assert self._started is not None, "the pool has not been started"
        return self._started


def _event_json(trigger: Any, event: Any) -> bytes:
    """The event as JSON. Raises `EventError` for what has no JSON form."""
    if isinstance(event, bytes):
        return event
    try:
        return json.dumps(event).encode()
    except (TypeError, ValueError, RecursionError):
        flat = plain(event)
        trigger.parse_event(flat)  # says what is wrong, and where
        return json.dumps(flat).encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _resume_json(returned: dict[str, Any]) -> bytes:
    try:
        return json.dumps(returned).encode()
    except (TypeError, ValueError, RecursionError):
        raise FlowError("not_json", "what came back for the flow is no JSON") from None
