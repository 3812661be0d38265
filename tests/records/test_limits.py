"""Limits of records, and what becomes of them when something breaks."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from runner.admin.rotation import reseal
from runner.jobs.cleaner import Cleaner
from runner.records.recorder import Recorder, RecordLimits
from runner.records.states import RecordState
from runner.records.subjects import subject_hash, tenant_key
from runner.records.writing import Lost, NewLeg
from runner.replay.record import LegContext
from runner.store import SealError, Store
from runner.store.sealed import records as sealed
from runner.store.sealed.records import open_record
from runner.store.tables.columns import now
from runner.store.tables.models import SecretRow, Tenant
from runner.store.tables.records import RecordFlowRow, RecordRow, RecordSubjectRow
from runner.store.tables.runs import ExecutionRow
from tests.records.planes import LOGIN, kept, login, recorded_tenant, said, settled
from tests.runtime.tenants import RING, deploy, plane, tenant

FAILED = RecordState("failures", "failures")


def leg(name: str, size: int = 1_000, tenant: str = "t", **more: Any) -> NewLeg:
    """A record of about `size` bytes that do not compress."""
    facts: dict[str, Any] = {
        "tenant": tenant,
        "execution_id": name,
        "trigger": "post-login",
        "leg": 1,
        "decision": "failed",
        "state": FAILED,
        "at": now(),
        "text": json.dumps({"x": os.urandom(size).hex()}).encode(),
        "context": LegContext(),
        "actions": (),
        "subjects": ("auth0|1",),
    }
    return NewLeg(**{**facts, **more})


def drained(recorder: Recorder) -> None:
    asyncio.run(recorder.drain())


def rows(store: Store) -> dict[str, RecordRow]:
    with store.read() as session:
        return {row.execution_id: row for row in session.scalars(select(RecordRow))}


def test_the_oldest_records_of_a_tenant_go_for_the_newest(store: Store) -> None:
    for name in ("t", "other"):
        tenant(store, name)
    recorder = Recorder(store, lambda: RING, RecordLimits(quota_bytes=20_000))
    recorder.put(leg("theirs", tenant="other"))
    drained(recorder)
    start = now()
    for number in range(40):
        recorder.put(leg(f"e{number:02}", at=start + timedelta(milliseconds=number)))
        if number % 10 == 9:
            drained(recorder)
    found = rows(store)
    assert len(found) == 41
    used = sum(row.bytes for row in found.values() if row.tenant_id == "t")
    assert 10_000 < used <= 20_000
    gone = [name for name, row in sorted(found.items()) if row.gone == "quota"]
    assert gone == [f"e{number:02}" for number in range(len(gone))]
    assert all(found[name].content is None and found[name].key is None for name in gone)
    assert found["theirs"].gone is None
    assert recorder.stats().dropped == {"quota": len(gone)}


def test_a_full_queue_drops_and_counts_and_never_waits(store: Store) -> None:
    tenant(store)
    held = threading.Event()
    real = store.begin

    def slow(**options: Any):
        held.wait(20)
        return real(**options)

    store.begin = slow  # type: ignore[method-assign]
    recorder = Recorder(store, lambda: RING, RecordLimits(queue_items=5, queue_bytes=20_000))
    given = [recorder.put(leg(f"e{number}")) for number in range(200)]
    assert given.count(False) >= 100
    assert not recorder.put(leg("large", 50_000))
    stats = recorder.stats()
    assert stats.dropped == {"queue": given.count(False) + 1}
    assert stats.queue_bytes <= 20_000
    held.set()
    drained(recorder)
    assert len(rows(store)) == given.count(True)
    assert recorder.stats().queue == 0


def test_what_a_short_outage_of_the_database_holds_up_is_stored_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant(store)
    monkeypatch.setattr("runner.records.recorder._AGAIN_SECONDS", 0.01)
    real, failures = store.begin, iter(range(3))

    def broken(**options: Any):
        if next(failures, None) is not None:
            raise OperationalError("begin", {}, Exception("database is locked"), connection_invalidated=True)
        return real(**options)

    recorder = Recorder(store, lambda: RING)
    recorder.put(leg("first"))
    assert recorder.settled(20)
    store.begin = broken  # type: ignore[method-assign]
    for number in range(3):
        recorder.put(leg(f"e{number}"))
    assert recorder.settled(20)
    assert len(rows(store)) == 4
    assert recorder.stats().dropped == {}


def test_one_bad_item_spoils_no_other(store: Store) -> None:
    tenant(store)
    recorder = Recorder(store, lambda: RING)
    bad = leg("bad", decision=None)
    for item in (leg("a"), bad, leg("b"), leg("nobody", tenant="removed")):
        recorder.put(item)
    assert recorder.settled(20)
    assert set(rows(store)) == {"a", "b"}
    assert recorder.stats().dropped == {"database": 1}
    drained(recorder)


def test_records_open_after_a_rotation_and_hashes_stay(store: Store) -> None:
    tenant(store)
    recorder = Recorder(store, lambda: RING)
    for number in range(5):
        recorder.put(leg(f"e{number}"))
    drained(recorder)
    before = subject_hash(tenant_key(store, RING, "t"), "auth0|1")
    ring = RING.rotated()
    assert reseal(store, ring) == 1  # the tenant's key is a secret; keys of records are not counted
    alone = ring.without(["k1"])
    found = rows(store)
    assert {row.key_id for row in found.values()} == {ring.current}
    for row in found.values():
        assert open_record(alone, row)
        with pytest.raises(SealError):
            open_record(RING, row)
    assert subject_hash(tenant_key(store, alone, "t"), "auth0|1") == before
    with store.read() as session:
        assert set(session.scalars(select(RecordSubjectRow.subject))) == {before}
    with store.begin() as session:
        sealed.forget(session, RING)
    assert rows(store) == {}


def test_the_key_of_a_tenant_is_its_own_and_kept_sealed(store: Store) -> None:
    for name in ("t", "u"):
        tenant(store, name)
    mine, theirs = (tenant_key(store, RING, name) for name in ("t", "u"))
    other = tenant_key(store, RING, "t", "pseudonyms")
    assert len({mine, theirs, other}) == 3
    assert tenant_key(store, RING, "t") == mine
    with store.read() as session:
        assert all(mine not in row.sealed for row in session.scalars(select(SecretRow)))


def test_flows_that_no_record_refers_to_go(store: Store) -> None:
    tenant(store)
    recorder = Recorder(store, lambda: RING)
    recorder.put(leg("e"))
    drained(recorder)

    def flows() -> int:
        with store.read() as session:
            return session.scalar(select(func.count()).select_from(RecordFlowRow)) or 0

    Cleaner(store, lambda: now() + timedelta(days=6)).clean()
    assert flows() == 1
    found = Cleaner(store, lambda: now() + timedelta(days=8)).clean()
    assert (found["execution_records"], found["record_subjects"], found["record_flows"]) == (1, 1, 1)
    assert flows() == 0


def test_what_a_removed_tenant_left_in_the_queue_is_not_stored(store: Store) -> None:
    tenant(store)
    recorder = Recorder(store, lambda: RING)
    recorder.put(leg("e"))
    recorder.put(Lost("t", "nothing", RecordState("large", "all")))
    with store.begin() as session:
        session.execute(delete(Tenant))
    drained(recorder)
    assert rows(store) == {}


def test_a_record_that_is_too_large_is_told_and_the_worker_goes_on(store: Store) -> None:
    """Megabytes of journal, of which the worker writes nothing down."""
    code = LOGIN.replace('console.log("secret is", event.secrets.KEY', 'console.log("x".repeat(200000)')

    async def go() -> tuple[str, str]:
        t = recorded_tenant(store, "all")
        deploy(store, t, "login", code)
        async with plane(store) as here:
            pids = [worker.pid for worker in here.pool.stats().workers]
            object.__setattr__(here.recorder.limits, "leg_bytes", 100_000)
            large = await login(here, t)
            await settled(here)
            object.__setattr__(here.recorder.limits, "leg_bytes", 10_000_000)
            fits = await login(here, t)
            await settled(here)
            assert here.recorder.stats().dropped == {"large": 1}
            assert [worker.pid for worker in here.pool.stats().workers] == pids
            assert await kept(store, t, fits.execution_id) is not None
            assert await kept(store, t, large.execution_id) is None
        return large.execution_id, fits.execution_id

    large, fits = asyncio.run(go())
    assert said(store, "t", large) == "large all"
    assert said(store, "t", fits) == "all all"


def test_a_worker_that_is_killed_takes_its_record_along_and_the_execution_says_so(store: Store) -> None:
    code = "exports.onExecutePostLogin = async () => { for (;;); };"

    async def go() -> str:
        t = recorded_tenant(store, "failures")
        deploy(store, t, "login", code)
        async with plane(store) as here:
            running = asyncio.create_task(login(here, t))
            while not here.pool.stats().running:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
            for worker in here.pool.stats().workers:
                os.kill(worker.pid, 9)
            found = await running
            assert found.decision == "failed"
            await settled(here)
            assert here.recorder.stats().dropped == {"worker": 1}
        return found.execution_id

    execution_id = asyncio.run(go())
    assert said(store, "t", execution_id) == "worker failures"
    with store.read() as session:
        assert session.get(ExecutionRow, ("t", execution_id)) is not None
