"""Records over store and workers: what a policy keeps is stored sealed, and runs again as it ran."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, update

from runner.privacy.fidelity import Fidelity
from runner.records.stamping import Stamper
from runner.records.store import DamagedRecordError
from runner.replay.replay import replay
from runner.store import SealError, Store
from runner.store.tables.records import RecordFlowRow, RecordRow, RecordSubjectRow
from tests.records.planes import (
    LOGIN,
    SECRETS,
    back,
    choose,
    kept,
    login,
    recent,
    recorded_tenant,
    said,
    settled,
)
from tests.runtime.tenants import RING, deploy, plane

USER = "auth0|66b1f0c2a94d7e0012c3ab45"


def count(store: Store, table: Any = RecordRow) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_the_policy_keeps_is_sealed_and_runs_again(store: Store) -> None:
    async def go() -> None:
        t = recorded_tenant(store, "failures, denials")
        deploy(store, t, "login", LOGIN, secrets=SECRETS)
        async with plane(store) as here:
            outcomes = {do: await login(here, t, do) for do in ("", "deny", "fail")}
            await settled(here)
            stats = here.recorder.stats()
        assert (stats.kept, stats.dropped, stats.queue) == ({"denials": 1, "failures": 1}, {}, 0)
        assert count(store) == 2
        assert count(store, RecordFlowRow) == 1
        assert said(store, t, outcomes[""].execution_id) == "no failures,denials"
        assert await kept(store, t, outcomes[""].execution_id) is None
        for do, reason in (("deny", "denials"), ("fail", "failures")):
            found = await kept(store, t, outcomes[do].execution_id)
            assert found is not None
            assert (found.kept_because, found.form, found.trigger) == (reason, "plain", "post-login")
            assert said(store, t, found.execution_id) == f"{reason} failures,denials"
            assert found.legs[0].secrets is None
            assert SECRETS["KEY"] not in found.to_json()
            again = replay(found.legs[0], lambda _: SECRETS)
            assert again.same, (again.divergences, again.differences)
            assert await kept(store, "other", found.execution_id) is None
        with store.read() as session:
            contents = b"".join(row.content or b"" for row in session.scalars(select(RecordRow)))
        assert b"harbor" not in contents
        ids = [outcomes["fail"].execution_id, outcomes["deny"].execution_id]
        assert await recent(store, t) == ids
        assert await recent(store, t, decision="deny") == ids[1:]
        assert await recent(store, t, 1) == ids[:1]

    asyncio.run(go())


def test_a_stamp_that_no_worker_could_make_is_tried_again(store: Store) -> None:
    exact = Fidelity(verdict="exact")
    answers: list[Fidelity | None] = [None, None, exact]

    async def make(*_: object) -> Fidelity | None:
        return answers.pop(0)

    async def go() -> None:
        t = recorded_tenant(store, "all")
        deploy(store, t, "login", LOGIN, secrets=SECRETS)
        stamper, stopping = Stamper(store, lambda: RING, make, lambda: False), asyncio.Event()
        async with plane(store) as here:
            here.recorder.on_stored = stamper.stored
            execution_id = (await login(here, t)).execution_id
            await settled(here)
            running = asyncio.create_task(stamper.run(stopping))
            async with asyncio.timeout(30):
                while answers:
                    await asyncio.sleep(0.05)
            stopping.set()
            await running
        found = await kept(store, t, execution_id)
        assert found is not None
        assert found.fidelity is not None
        assert found.fidelity["verdict"] == "exact"

    asyncio.run(go())


def test_legs_of_a_suspended_flow_stay_or_go_with_its_end(store: Store) -> None:
    async def go() -> None:
        t = recorded_tenant(store, "failures, denials")
        deploy(store, t, "login", LOGIN, secrets=SECRETS)
        async with plane(store) as here:
            asked = await login(here, t, "ask")
            await settled(here)
            assert said(store, t, asked.execution_id) == "waits failures,denials"
            assert await kept(store, t, asked.execution_id) is None
            assert await recent(store, t) == []
            await back(here, t, asked)
            await settled(here)
            assert (count(store), count(store, RecordSubjectRow)) == (0, 0)
            assert said(store, t, asked.execution_id) == "no failures,denials"

            asked = await login(here, t, "ask")
            again = await back(here, t, asked, "ask")
            await back(here, t, again, "deny")
            await settled(here)
        found = await kept(store, t, asked.execution_id)
        assert found is not None
        assert [leg.number for leg in found.legs] == [1, 2, 3]
        assert found.kept_because == "denials"
        assert said(store, t, asked.execution_id) == "denials failures,denials"
        assert all(replay(leg, lambda _: SECRETS).same for leg in found.legs)
        with store.read() as session:
            rows = session.scalars(select(RecordRow)).all()
            assert {row.reason for row in rows} == {"denials"}
            assert len({row.flow for row in rows}) == 1
            ends = set(session.scalars(select(RecordSubjectRow.expires_at)))
        assert ends == {found.expires_at}

    asyncio.run(go())


def test_an_execution_that_is_kept_keeps_all_its_legs_whatever_the_policy_is_then(store: Store) -> None:
    async def go() -> None:
        t = recorded_tenant(store, "sample: 1")
        deploy(store, t, "login", LOGIN, secrets=SECRETS)
        async with plane(store) as here:
            asked = await login(here, t, "ask")
            choose(store, t, policy="off")
            await back(here, t, asked)
            after = await login(here, t, "fail")
            await settled(here)
        found = await kept(store, t, asked.execution_id)
        assert found is not None
        assert [leg.number for leg in found.legs] == [1, 2]
        assert (found.kept_because, found.policy["sample"]) == ("sample", 1.0)
        assert await kept(store, t, after.execution_id) is None
        assert said(store, t, after.execution_id) == "no off"

    asyncio.run(go())


def test_the_policy_of_a_binding_outranks_that_of_the_tenant_and_off_wins(store: Store) -> None:
    quiet = LOGIN.replace('"secret is", event.secrets.KEY, ', "")

    async def go() -> None:
        t = recorded_tenant(store, "off")
        deploy(store, t, "first", quiet, record="all")
        async with plane(store) as here:
            alone = await login(here, t)
            deploy(store, t, "second", quiet)
            beside = await login(here, t)
            await settled(here)
        assert said(store, t, alone.execution_id) == "all all"
        assert await kept(store, t, alone.execution_id) is not None
        assert said(store, t, beside.execution_id) == "no off"

    asyncio.run(go())


def test_a_row_that_was_altered_or_moved_does_not_open(store: Store) -> None:
    async def go() -> list[str]:
        t = recorded_tenant(store, "all")
        deploy(store, t, "login", LOGIN, secrets=SECRETS)
        async with plane(store) as here:
            found = [await login(here, t, do) for do in ("", "deny")]
            await settled(here)
        return [item.execution_id for item in found]

    first, second = asyncio.run(go())
    with store.begin() as session:
        rows = {row.execution_id: row for row in session.scalars(select(RecordRow))}
        moved = {"content": rows[first].content, "key": rows[first].key, "key_id": rows[first].key_id}
        session.execute(update(RecordRow).where(RecordRow.execution_id == second).values(**moved))

    async def look() -> None:
        assert await kept(store, "t", first) is not None
        with pytest.raises((DamagedRecordError, SealError)):
            await kept(store, "t", second)
        assert await recent(store, "t") == [first]

    asyncio.run(look())
