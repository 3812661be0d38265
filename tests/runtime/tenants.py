"""Tenants with deployed Actions, written straight into the store; and the runtime plane on top of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from runner.jobs.policy import FLOW, NOTIFICATION
from runner.jobs.queue import JobQueue
from runner.jobs.worker import JobGroup, JobWorker
from runner.model.settings import Settings
from runner.records.recorder import Recorder
from runner.runtime.binding_cache import BindingCache
from runner.runtime.flow_jobs import FlowJobs
from runner.runtime.flows import Flows
from runner.runtime.log_hub import Hub
from runner.runtime.records.group_commit import GroupCommit
from runner.runtime.records.idempotency import Idempotency
from runner.store import KeyRing, Store
from runner.store.generations import bump
from runner.store.sealed.sealing import VERSION, secret_context
from runner.store.sealed.suspensions import SqlSuspensions
from runner.store.tables.models import ActionRow, ActionVersionRow, BindingRow, SecretRow, Tenant
from runner.workers import PoolSettings, WorkerPool
from sandbox.egress import NoEgress

RING = KeyRing({"k1": b"1" * 32})


def tenant(store: Store, name: str = "t") -> str:
    with store.begin() as session:
        session.add(Tenant(id=name, name=name))
    return name


def deploy(
    store: Store,
    tenant: str,
    name: str,
    code: str,
    *,
    trigger: str = "post-login",
    runtime: str = "node22",
    secrets: Mapping[str, str] | None = None,
    bind: bool = True,
    **binding: Any,
) -> str:
    """A next version of an Action, deployed and bound last; the Action's id."""
    with store.begin() as session:
        action = session.query(ActionRow).filter_by(tenant_id=tenant, name=name).one_or_none()
        if action is None:
            action = ActionRow(
                tenant_id=tenant,
                name=name,
                code=code,
                trigger_id=trigger,
                trigger_version="v1",
                runtime=runtime,
                status="built",
            )
            session.add(action)
            session.flush()
            if bind:
                position = session.query(BindingRow).filter_by(tenant_id=tenant, trigger_id=trigger).count()
                session.add(
                    BindingRow(
                        tenant_id=tenant,
                        trigger_id=trigger,
                        position=position,
                        action_id=action.id,
                        display_name=name,
                        **binding,
                    )
                )
        version = ActionVersionRow(
            tenant_id=tenant,
            action_id=action.id,
            number=action.next_number,
            code=code,
            trigger_id=trigger,
            trigger_version="v1",
            runtime=runtime,
        )
        session.add(version)
        session.flush()
        for key, value in (secrets or {}).items():
            sealed = RING.seal(value, secret_context(tenant, VERSION, version.id, key))
            session.add(
                SecretRow(
                    tenant_id=tenant,
                    owner_kind=VERSION,
                    owner_id=version.id,
                    name=key,
                    key_id=sealed.key_id,
                    sealed=sealed.data,
                )
            )
        action.deployed_version_id = version.id
        action.next_number += 1
        bump(session, tenant, trigger)
        return action.id


class Plane:
    """The runtime plane of one replica."""

    def __init__(self, store: Store, pool: WorkerPool, owner: str = "w") -> None:
        self.store = store
        self.pool = pool
        self.hub = Hub()
        self.queue = JobQueue(store, owner)
        self.idempotency = Idempotency(store, lambda: RING)
        self.bindings = BindingCache(store, lambda: RING)
        self.writer = GroupCommit(store)
        self.recorder = Recorder(store, lambda: RING)
        self.flows = Flows(
            bindings=self.bindings,
            pool=pool,
            suspensions=SqlSuspensions(store, lambda: RING),
            writer=self.writer,
            idempotency=self.idempotency,
            queue=self.queue,
            hub=self.hub,
            settings=Settings(),
            kept=timedelta(days=10),
            recorder=self.recorder,
        )

    def worker(self) -> JobWorker:
        group = JobGroup((FLOW, NOTIFICATION), 4, FlowJobs(self.flows))
        return JobWorker(self.store, self.queue, [group])


@asynccontextmanager
async def plane(store: Store) -> AsyncIterator[Plane]:
    """With one worker process."""
    pool = WorkerPool(PoolSettings(workers=1), egress=NoEgress(), store=SqlSuspensions(store, lambda: RING))
    await pool.start()
    made = Plane(store, pool)
    try:
        yield made
        await made.writer.drain()
        await made.recorder.drain()
    finally:
        await pool.stop()


@asynccontextmanager
async def working(plane: Plane) -> AsyncIterator[None]:
    """While jobs are run."""
    stop = asyncio.Event()
    task = asyncio.create_task(plane.worker().run(stop))
    try:
        yield
    finally:
        stop.set()
        await task
