"""The entry for a platform that embeds actionbox: one `Runner` per process, one call per event."""

from __future__ import annotations

import asyncio
import os
import secrets as tokens
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from runner.flow.execution import Executor
from runner.flow.leg import Leg, LegEnd, run_leg
from runner.flow.leg_trace import LegTrace, Observer, Tracer
from runner.flow.outcome_builder import Reporter
from runner.flow.programs import ProgramCache
from runner.model.action import Action, with_unique_names
from runner.model.errors import FlowError, ResumeError
from runner.model.outcome import FlowOutcome, ResumePoint
from runner.model.settings import Settings
from runner.suspension.resume import Return, SecretsLike, plain, read_flow, state_matches, with_secrets
from runner.suspension.stores import MemoryStore, SuspendedFlow, SuspensionStore, new_handle, store_key
from sandbox.core.caps import Limits
from sandbox.egress.model import Egress
from sandbox.egress.narrowing import narrowed
from sandbox.port.interface import ApiHost, ExecutionPort
from sandbox.port.live import Clock, LivePort
from triggers import (
    CacheStore,
    Directory,
    FlowState,
    MemoryCache,
    Services,
    StaticDirectory,
    Trigger,
    begin,
    get_trigger,
)


def public_egress(*, allow_private: bool = False) -> Egress:
    """The real way out; refuses private addresses unless told otherwise."""
    # Imported when used: the HTTP client is the slowest import of all, and stubbed runs never need it.
    from sandbox.egress import EgressPolicy, HttpEgress

    return HttpEgress(EgressPolicy(allow_private=allow_private))


@dataclass(frozen=True, slots=True)
class _Flow:
    """One flow's identity, the same in all its legs."""

    trigger: Trigger
    tenant: str
    execution_id: str
    leg: int
    actions: tuple[Action, ...]
    executed_rules: tuple[str, ...]
    flushed: int = 0


class Caches:
    """The caches of all tenants and triggers, in memory (`api.cache`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._caches: dict[tuple[str, str], MemoryCache] = {}

    def __call__(self, tenant: str, trigger: str) -> CacheStore:
        with self._lock:
            return self._caches.setdefault((tenant, trigger), MemoryCache())


@dataclass(frozen=True)
class Runner:
    """Runs flows. Immutable and safe to use from several threads; make one and keep it.

    Attributes:
        settings: limits and defaults.
        egress: how Actions reach the network; the default refuses private addresses.
        store: where suspended flows wait; the default is this process's memory.
        programs: built programs.
        caches: gives the cache of a tenant and trigger.
        directory: answers `api.groups` and `api.roles`.
        clock, entropy: what guests read as time and randomness.
        wall: epoch seconds for handles, records and tokens.
        observer: told of every leg when it is over, from the thread that ran it.
        recorder: given, from the same thread, what of a leg's outcome may go on record; None when it may as
            a whole.
    """

    settings: Settings = field(default_factory=Settings)
    egress: Egress = field(default_factory=public_egress)
    store: SuspensionStore = field(default_factory=MemoryStore)
    programs: ProgramCache = field(default_factory=ProgramCache)
    caches: Callable[[str, str], CacheStore] = field(default_factory=Caches)
    directory: Directory = field(default_factory=StaticDirectory)
    clock: Clock = field(default_factory=Clock)
    entropy: Callable[[int], bytes] = os.urandom
    wall: Callable[[], float] = time.time
    observer: Observer | None = None
    recorder: Callable[[FlowOutcome | None], None] | None = None

    def run(
        self,
        trigger: str | Trigger,
        event: Mapping[str, Any] | bytes,
        actions: Sequence[Action],
        *,
        tenant: str | None = None,
        execution_id: str | None = None,
        executed_rules: Sequence[str] = (),
    ) -> FlowOutcome:
        """Run `actions` in order on `event`.

        Args:
            trigger: trigger id, or the trigger itself.
            event: as the trigger's event model describes it, without secrets; or the same as JSON text.
            executed_rules: ids for which `api.rules.wasExecuted` answers true.

        Raises:
            UnknownTriggerError: no such trigger.
            EventError: the event breaks the trigger's schema.
            FlowError: `no_actions` or `too_many_actions`.
        """
        contract = get_trigger(trigger) if isinstance(trigger, str) else trigger
        _check_count(contract, actions)
        state = begin(contract, contract.parse_event(event if isinstance(event, bytes) else plain(event)))
        flow = _Flow(
            trigger=contract,
            tenant=tenant or self.settings.tenant,
            execution_id=execution_id or f"exe_{tokens.token_hex(16)}",
            leg=1,
            actions=with_unique_names(actions),
            executed_rules=tuple(executed_rules),
        )
        return self._leg(flow, state, ResumePoint(action=0, handler=contract.execute_handler))

    def resume(
        self,
        handle: str,
        *,
        request: Mapping[str, Any] | None = None,
        prompt: Mapping[str, Any] | None = None,
        methods: Sequence[Mapping[str, Any]] | None = None,
        enrolled: Sequence[Mapping[str, Any]] | None = None,
        secrets: SecretsLike = None,
        tenant: str | None = None,
    ) -> FlowOutcome:
        """Go on with a suspended flow, with the versions it began with.

        Args:
            handle: from the outcome that suspended.
            request: the request that came back, as `event.request`; replaces it. For a redirect it must
                carry the `state` in its `query` or `body`.
            prompt: `{"fields", "vars"}` of a rendered form.
            methods: authentication methods completed by a challenge; an empty list says none.
            enrolled: factors enrolled.
            secrets: for the pinned Actions: a provider, the Actions again, or values for all of them.

        Raises:
            ResumeError: see there; after `invalid_request` the transaction is lost.
            EventError: what came back breaks the trigger's schema; the handle stays usable.
        """
        tenant = tenant or self.settings.tenant
        key = store_key(tenant, handle)
        waiting = read_flow(self.store.peek(key))
        actions = with_secrets(waiting, secrets)
        if waiting.kind == "redirect" and not state_matches(waiting.state, request):
            self.store.take(key)
            raise ResumeError(
                "invalid_request",
                "the request does not carry the state of this transaction; the transaction is lost",
                next_step="Send back the parameter `state` of the redirect unchanged; start the flow again.",
            )
        state = Return(request, prompt, methods, enrolled).applied(waiting)
        self.store.take(key)
        flow = _Flow(
            trigger=get_trigger(waiting.trigger),
            tenant=tenant,
            execution_id=waiting.execution_id,
            leg=waiting.leg + 1,
            actions=actions,
            executed_rules=waiting.executed_rules,
            flushed=waiting.flushed,
        )
        return self._leg(flow, state, waiting.resumes)

    def waiting(self, handle: str, *, tenant: str | None = None) -> SuspendedFlow:
        """A suspended flow, without resuming it. Raises `ResumeError` as `resume` does."""
        return read_flow(self.store.peek(store_key(tenant or self.settings.tenant, handle)))

    async def run_async(self, *arguments: Any, **options: Any) -> FlowOutcome:
        """`run` in a thread of the event loop's default executor."""
        return await asyncio.to_thread(self.run, *arguments, **options)

    async def resume_async(self, *arguments: Any, **options: Any) -> FlowOutcome:
        """`resume` in a thread of the event loop's default executor."""
        return await asyncio.to_thread(self.resume, *arguments, **options)

    def _leg(self, flow: _Flow, state: FlowState, start: ResumePoint | None) -> FlowOutcome:
        started_at = self.wall()
        tracer = Tracer(partial(self._live_port, flow.actions), self.clock.wall)
        leg = Leg(
            trigger=flow.trigger,
            actions=flow.actions,
            state=state,
            services=self._services(flow, tracer),
            start=start,
            limits=self.settings.limits,
            budget_ms=self.settings.budget_ms,
        )
        end = run_leg(leg, Executor(flow.trigger, self.programs, tracer.make_port))
        if self.observer is not None:
            self.observer(
                LegTrace(
                    flow.tenant, flow.execution_id, flow.leg, flow.flushed, leg, end, tracer.executions()
                )
            )
        return self._conclude(flow, end, started_at, leg.services.issued)

    def _conclude(self, flow: _Flow, end: LegEnd, started_at: float, issued: Sequence[str]) -> FlowOutcome:
        reporter = Reporter(
            trigger=flow.trigger,
            tenant=flow.tenant,
            execution_id=flow.execution_id,
            leg=flow.leg,
            actions=flow.actions,
            flushed=flow.flushed,
            started_at=started_at,
            budget_ms=self.settings.budget_ms,
            limits=self.settings.limits,
        )
        handle = new_handle()
        expires_at = self.wall() + self.settings.handle_seconds
        end, waiting = reporter.kept(end, expires_at, flow.executed_rules)
        outcome = reporter.outcome(end, handle, expires_at)
        if waiting is not None and outcome.suspension is not None:
            self.store.put(store_key(flow.tenant, handle), waiting, expires_at)
        if self.recorder is not None:
            self.recorder(reporter.on_record(outcome, end, issued))
        return outcome

    def _services(self, flow: _Flow, tracer: Tracer) -> Services:
        return Services(
            clock=tracer.read_clock,
            cache=self.caches(flow.tenant, flow.trigger.id),
            directory=self.directory,
            executed_rules=frozenset(flow.executed_rules),
            redirect_state=tokens.token_urlsafe(32),
            features=self.settings.features,
            payload_may_override_claims=self.settings.payload_may_override_claims,
        )

    def _live_port(
        self, actions: Sequence[Action], index: int, api: ApiHost, limits: Limits
    ) -> ExecutionPort:
        egress = narrowed(self.egress, actions[index].allow)
        return LivePort(api, egress, limits, clock=self.clock, entropy=self.entropy)


def _check_count(trigger: Trigger, actions: Sequence[Action]) -> None:
    if not actions:
        raise FlowError("no_actions", "a flow needs at least one Action")
    if len(actions) > trigger.max_actions:
        raise FlowError(
            "too_many_actions",
            f"{len(actions)} Actions were given; trigger {trigger.id} takes at most {trigger.max_actions}",
        )
