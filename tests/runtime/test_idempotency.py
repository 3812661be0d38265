"""The same request gets the same answer: at once, later, and from another replica."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from runner.admin.rotation import reseal
from runner.runtime.records.idempotency import Idempotency, KeyReusedError, Slot, StoredResponse
from runner.store import KeyRing, Store
from runner.store.tables.runs import IdempotencyRow

RING = KeyRing({"k1": b"1" * 32})
ANSWER = StoredResponse(200, '{"handle": "abx_secret"}')


def replica(store: Store) -> Idempotency:
    return Idempotency(store, lambda: RING)


async def first(idempotency: Idempotency, key: str = "k", body: bytes = b"{}", tenant: str = "t") -> Slot:
    slot = await idempotency.begin(tenant, "/p", key, body)
    assert isinstance(slot, Slot)
    return slot


def keep(store: Store, idempotency: Idempotency, slot: Slot) -> None:
    with store.begin() as session:
        idempotency.keep(session, slot, ANSWER)


def test_a_repeated_request_gets_the_first_answer(store: Store) -> None:
    async def go() -> None:
        one = replica(store)
        slot = await first(one)
        keep(store, one, slot)
        one.settle(slot, ANSWER)
        assert await one.begin("t", "/p", "k", b"{}") == ANSWER
        assert await replica(store).begin("t", "/p", "k", b"{}") == ANSWER

    asyncio.run(go())
    with store.read() as session:
        (row,) = session.scalars(select(IdempotencyRow)).all()
    assert "abx_secret" not in (row.answer or "")


def test_another_body_tenant_or_path_is_another_request(store: Store) -> None:
    async def go() -> None:
        one = replica(store)
        slot = await first(one)
        keep(store, one, slot)
        one.settle(slot, ANSWER)
        with pytest.raises(KeyReusedError):
            await one.begin("t", "/p", "k", b"[]")
        await first(one, tenant="u")
        assert isinstance(await one.begin("t", "/q", "k", b"{}"), Slot)

    asyncio.run(go())


def test_those_that_come_meanwhile_wait_for_the_first(store: Store) -> None:
    async def go() -> None:
        one = replica(store)
        slot = await first(one)
        waiting = [asyncio.create_task(one.begin("t", "/p", "k", b"{}")) for _ in range(3)]
        await asyncio.sleep(0.01)
        with pytest.raises(KeyReusedError):
            await one.begin("t", "/p", "k", b"[]")
        one.settle(slot, ANSWER)
        assert await asyncio.gather(*waiting) == [ANSWER] * 3

    asyncio.run(go())


def test_after_a_request_that_was_not_answered_the_next_one_is_the_first(store: Store) -> None:
    async def go() -> None:
        one = replica(store)
        slot = await first(one)
        waiting = asyncio.create_task(one.begin("t", "/p", "k", b"{}"))
        await asyncio.sleep(0.01)
        one.abandon(slot)
        assert isinstance(await waiting, Slot)

    asyncio.run(go())


def test_of_two_replicas_one_answers(store: Store) -> None:
    async def go() -> None:
        one, other = replica(store), replica(store)
        here, there = await first(one), await first(other)
        keep(store, one, here)
        with pytest.raises(IntegrityError):
            keep(store, other, there)
        assert await asyncio.to_thread(other.find, there) == ANSWER

    asyncio.run(go())


def test_kept_answers_outlive_the_key_that_sealed_them(store: Store) -> None:
    """After `actionbox keys rotate --prune` the first key is gone."""

    async def go() -> StoredResponse | Slot:
        one = replica(store)
        keep(store, one, await first(one))
        keep(store, one, await first(one, key="other"))
        ring = RING.rotated()
        assert await asyncio.to_thread(reseal, store, ring) == 0, "no secret"
        pruned = ring.without(["k1"])
        return await Idempotency(store, lambda: pruned).begin("t", "/p", "k", b"{}")

    assert asyncio.run(go()) == ANSWER
