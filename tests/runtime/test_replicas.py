"""Two processes on one PostgreSQL: what one does the other takes up because it hears of it, not because it
looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runner.model.outcome import FlowOutcome
from runner.runtime.log_tail import Follower
from runner.runtime.schemas import InvokeBody
from runner.store import Store
from runner.store.database.listening import Listening
from runner.store.tables.runs import DONE
from runner.workers import WorkerPool
from tests.rollouts.made import Made
from tests.runtime.tenants import Plane, deploy, plane, tenant, working
from tests.runtime.test_flows import DENY, body, eventually, jobs, outcome
from triggers import get_trigger

THROWS = "exports.onExecutePostLogin = async () => { throw new Error('broken'); };\n"


@pytest.fixture(params=["postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    from tests.databases import migrated_database

    return migrated_database()


@pytest.fixture(autouse=True)
def never_by_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look now and then would find it as well: not within these tests."""
    for place in (
        "jobs.worker._HEARD_SECONDS",
        "jobs.worker._LOOK_SECONDS",
        "runtime.binding_cache._HEARD_SECONDS",
    ):
        monkeypatch.setattr(f"runner.{place}", 600.0)
    for place in ("_HEARD_SECONDS", "_WATCHED_SECONDS"):
        monkeypatch.setattr(f"runner.runtime.log_tail.{place}", 600.0)


@asynccontextmanager
async def other(store: Store, pool: WorkerPool) -> AsyncIterator[Plane]:
    """Another process with a store of its own; both hear each other, and both show what the other records."""
    theirs = Store.open(store.engine.url.render_as_string(hide_password=False))
    made, stop = Plane(theirs, pool, "other"), asyncio.Event()
    loops = [Listening(item).run(stop) for item in (store, theirs)]
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        await eventually(lambda: store.hears and theirs.hears)
        yield made
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        theirs.close()


def test_a_deploy_is_seen_by_the_other(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        async with plane(store) as here, other(store, here.pool) as there:
            assert outcome(await there.flows.invoke(t, "post-login", body("post-login"))).actions == ()
            await asyncio.to_thread(deploy, store, t, "deny", DENY, runtime="python3")
            await eventually(lambda: there.bindings.peek(t, "post-login") is None)
            assert outcome(await there.flows.invoke(t, "post-login", body("post-login"))).decision == "deny"

    asyncio.run(go())


def test_a_rollback_is_seen_by_the_other(store: Store) -> None:
    """A replica counts what it and others recorded, and all of them hear of what it decides."""

    async def go() -> None:
        made = await asyncio.to_thread(Made, store, code=THROWS)
        async with plane(store) as here, other(store, here.pool) as there:
            on = [await _login(there, made.tenant, f"user {number}") for number in range(12)]
            chosen = [found.actions[0].version for found in on]
            assert [await _arm(here, made.tenant, f"user {number}") for number in range(12)] == [
                version and version.arm for version in chosen
            ], "replicas agree"
            failing = [f"user {n}" for n, version in enumerate(chosen) if version and version.arm == "canary"]
            for _ in range(3):
                assert (await _login(there, made.tenant, failing[0])).decision == "failed"
            await asyncio.to_thread(made.look)
            assert made.row.state == "rolled_back"
            await eventually(lambda: there.bindings.peek(made.tenant, "post-login") is None)
            after = await _login(there, made.tenant, failing[0])
            assert (after.decision, after.actions[0].version and after.actions[0].version.number) == (
                "allow",
                1,
            )

    asyncio.run(go())


async def _login(plane: Plane, tenant: str, user: str) -> FlowOutcome:
    event = get_trigger("post-login").example_event
    event = {**event, "user": {**event["user"], "user_id": user}}
    return outcome(await plane.flows.invoke(tenant, "post-login", InvokeBody(event=event)))


async def _arm(plane: Plane, tenant: str, user: str) -> str | None:
    version = (await _login(plane, tenant, user)).actions[0].version
    return None if version is None else version.arm


def test_a_job_starts_elsewhere(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        async with plane(store) as here, other(store, here.pool) as there, working(there):
            await asyncio.sleep(0.3)  # it has looked, and now waits
            for number in range(3):
                await here.flows.invoke(t, "post-user-registration", body("post-user-registration"))
                await eventually(lambda: [job.state for job in jobs(store)] == [DONE] * (number + 1))  # noqa: B023

    asyncio.run(go())


def test_a_stream_shows_what_the_other_records_and_only_while_somebody_watches(store: Store) -> None:
    async def go() -> None:
        t = tenant(store)
        async with plane(store) as here, other(store, here.pool) as there:
            follower, stop = Follower(there.store, there.hub), asyncio.Event()
            mine = Follower(store, here.hub)
            here.flows._recorded = mine.recorded
            said: list[str] = []
            there.store.listen("executions", lambda notice: said.append(notice.key), elsewhere=True)
            following = asyncio.create_task(follower.run(stop))
            unseen = outcome(await here.flows.invoke(t, "post-login", body("post-login")))
            async with there.hub.reader(t) as reader:
                await eventually(lambda: t in mine._elsewhere)
                found = []
                for _ in range(3):
                    shown = outcome(await here.flows.invoke(t, "post-login", body("post-login")))
                    item = await reader.next(20)
                    assert item is not None
                    found.append((shown.execution_id, item.item["id"]))
                assert all(shown == seen for shown, seen in found)
                assert await reader.next(0.05) is None, "each once"
            stop.set()
            await following
            assert unseen.execution_id not in json.dumps(found)
            assert said == [seen for _, seen in found]

    asyncio.run(go())
