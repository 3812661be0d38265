"""A replica for drills: it leaves events for a rollout, notes each in the same transaction, and conducts."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection

from sqlalchemy import text

from runner.rollouts.conductor import Conductor
from runner.rollouts.events import INSERT
from runner.store import Store

TABLE = "create table drill_left (number integer)"


def replica(url: str, tenant: str, rollout: str, ready: Connection) -> None:
    """Until it is killed."""
    asyncio.run(_run(url, tenant, rollout, ready))


async def _run(url: str, tenant: str, rollout: str, ready: Connection) -> None:
    store = Store.open(url)
    conductor = Conductor(store)
    conducting = asyncio.create_task(conductor.run(asyncio.Event()))
    ready.send(True)
    for number in range(1_000_000):
        await asyncio.to_thread(_leave, store, tenant, rollout, number)
        conductor.nudge()
        await asyncio.sleep(0.005)
    await conducting


def _leave(store: Store, tenant: str, rollout: str, number: int) -> None:
    facts = {
        "tenant_id": tenant,
        "rollout_id": rollout,
        "segment": 0,
        "arm": "canary" if number % 2 else "control",
        "kind_of_user": "share",
        "user_digest": f"u{number % 50}",
        "is_first": True,
        "failed": False,
        "denied": number % 7 == 0,
        "suspended": False,
        "cost_ms": 1.0,
        "alarm": None,
        "hosts": None,
        "execution_id": "exe",
    }
    with store.begin() as session:
        session.connection().execute(INSERT, [facts])
        session.execute(text("insert into drill_left values (:number)"), {"number": number})
