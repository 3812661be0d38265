"""Composition of what lives as long as the service: workers, the runtime plane on them, jobs, the cleaner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from runner.config.keys import Keys
from runner.config.settings import ServiceSettings
from runner.hooks.directory import Directory
from runner.hooks.key_sets import KeySets
from runner.hooks.metrics import HookMetrics
from runner.hooks.receiver import Receiver
from runner.hooks.unsigned import Unsigned
from runner.jobs.cleaner import Cleaner
from runner.jobs.policy import FLOW, NOTIFICATION
from runner.jobs.queue import JobQueue
from runner.jobs.worker import JobGroup, JobWorker
from runner.management.actions.build_jobs import build_groups
from runner.management.shadows.guard import Guard
from runner.management.shadows.jobs import shadow_groups
from runner.project.dependencies import origin_of
from runner.records.policy import RecordPolicy
from runner.records.recorder import Recorder
from runner.records.stamping import Stamper
from runner.records.store import RecordStore
from runner.rollouts.conductor import Conductor
from runner.rollouts.events import RolloutLegs
from runner.runtime.binding_cache import BindingCache
from runner.runtime.flow_jobs import FlowJobs
from runner.runtime.flows import Flows
from runner.runtime.log_hub import Hub
from runner.runtime.log_tail import Follower
from runner.runtime.metrics import Metrics
from runner.runtime.records.group_commit import GroupCommit
from runner.runtime.records.idempotency import Idempotency
from runner.runtime.refresh import Refresher
from runner.runtime.routes import Runtime
from runner.server.background import Loop, hearing, running
from runner.server.logs import lost_lines
from runner.server.pool_bridge import Pooled
from runner.store import KeyRing, Store
from runner.store.sealed.suspensions import SqlSuspensions
from runner.workers import PoolSettings, WorkerPool
from sandbox.egress.model import Egress

_PARALLEL_JOBS: Final = 2
"""Jobs at a time for each worker process: most wait for the network."""


def make_pool(settings: ServiceSettings, store: Store, ring: Callable[[], KeyRing]) -> WorkerPool:
    """The workers, not started."""
    pool = PoolSettings(
        workers=settings.workers,
        tenant_running=settings.tenant_concurrency,
        tenant_queue=max(settings.tenant_queue, 1),
        queue=max(settings.queue, 1),
    )
    return WorkerPool(
        pool,
        egress=make_egress(settings),
        store=SqlSuspensions(store, ring),
        origin=lambda: origin_of(settings.npm_registry, settings.npm_packages),
        wheels=settings.wheels,
    )


def make_egress(settings: ServiceSettings) -> Egress:
    """The network as the settings allow it."""
    from sandbox.egress import HttpEgress, preload

    preload()
    return HttpEgress(settings.egress)


@dataclass(frozen=True)
class Plane:
    """The runtime plane of this process, not started. `workers` are the sandboxes' processes."""

    settings: ServiceSettings
    store: Store
    workers: WorkerPool
    pooled: Pooled
    runtime: Runtime
    jobs: JobWorker
    follower: Follower
    refresher: Refresher
    writer: GroupCommit
    recorder: Recorder
    stamper: Stamper
    metrics: Metrics
    hooks: Receiver
    unsigned: Unsigned
    conductor: Conductor

    @classmethod
    def of(cls, settings: ServiceSettings, store: Store, keys: Keys) -> Plane:
        """Put together; starts nothing."""
        ring = lambda: keys.ring  # noqa: E731
        pool, metrics, hub = make_pool(settings, store, ring), Metrics(), Hub()
        queue = JobQueue(store)
        idempotency, writer = Idempotency(store, ring), GroupCommit(store)
        pooled, follower = Pooled(pool, settings.flows), Follower(store, hub)
        bindings = BindingCache(store, ring, release=pooled.forget)
        recorder = Recorder(store, ring, settings.records)
        stamper = Stamper(store, ring, pooled.stamp, pooled.busy)
        recorder.on_stored = stamper.stored
        conductor = Conductor(store, metrics.decided)
        flows = Flows(
            bindings=bindings,
            pool=pool,
            suspensions=SqlSuspensions(store, ring),
            writer=writer,
            idempotency=idempotency,
            queue=queue,
            hub=hub,
            settings=settings.flows,
            kept=timedelta(days=settings.execution_days),
            observe=metrics.observe,
            recorder=recorder,
            policy=RecordPolicy.parse(settings.record_policy),
            recorded=follower.recorded,
            rollouts=RolloutLegs(conductor.nudge),
        )
        records = RecordStore(store, ring)
        guard = Guard(store, ring, records, pooled)
        metrics.watch(pool.stats, queue.counts, lost_lines, recorder.stats, lambda: conductor.states)
        groups = [
            *build_groups(store, keys, pooled, settings, guard),
            *shadow_groups(store, keys, pooled, records, settings),
        ]
        if settings.run_jobs:
            places = _PARALLEL_JOBS * settings.workers
            groups.append(JobGroup((FLOW, NOTIFICATION), places, FlowJobs(flows), settings.shutdown_seconds))
        runtime = Runtime(store, flows, idempotency, queue, hub, ring, recorder, records)
        hook_metrics = HookMetrics(metrics.registry)
        sets = KeySets(lambda: make_egress(settings))
        hooks = Receiver(runtime, Directory(store, ring), sets, hook_metrics)
        return cls(
            settings=settings,
            store=store,
            workers=pool,
            pooled=pooled,
            runtime=runtime,
            jobs=JobWorker(store, queue, groups),
            follower=follower,
            refresher=Refresher(store, bindings, pool.warm),
            writer=writer,
            recorder=recorder,
            stamper=stamper,
            metrics=metrics,
            hooks=hooks,
            unsigned=Unsigned(hook_metrics),
            conductor=conductor,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Workers, jobs and cleaner, for the block; then what runs is finished.

        Raises:
            WorkerStartError: workers cannot be started.
        """
        self.pooled.attach(asyncio.get_running_loop())
        await self.workers.start()
        loops: list[Loop] = [
            Cleaner(self.store).run,
            self.jobs.run,
            self.refresher.run,
            self.stamper.run,
            self.conductor.run,
            *hearing(self.store),
        ]
        if not self.store.is_sqlite:
            loops.append(self.follower.run)
        try:
            async with running(*loops, grace_seconds=self.settings.shutdown_seconds):
                yield
        finally:
            await self.writer.drain()
            await self.workers.stop(grace_seconds=1.0)
            await self.recorder.drain()
