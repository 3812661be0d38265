"""Readers get what their tenant's executions say, and a slow one holds up nobody."""

from __future__ import annotations

import asyncio

import pytest

from runner.runtime.live import MAX_READERS, Hub, TooManyReadersError


def test_only_readers_of_the_tenant_get_an_item() -> None:
    async def go() -> None:
        hub = Hub()
        async with hub.reader("t") as mine, hub.reader("u") as other:
            assert set(hub.watched()) == {"t", "u"}
            hub.publish("t", {"n": 1})
            assert await mine.next(1) == {"n": 1}
            assert await other.next(0.01) is None
        hub.publish("t", {"n": 2})
        assert hub.watched() == ()

    asyncio.run(go())


def test_a_slow_reader_loses_the_oldest_and_is_told() -> None:
    async def go() -> None:
        hub = Hub()
        async with hub.reader("t") as reader:
            for number in range(1_005):
                hub.publish("t", {"n": number})
            assert reader.lost == 5
            assert await reader.next(1) == {"n": 5}

    asyncio.run(go())


def test_readers_of_a_tenant_are_bounded() -> None:
    async def go() -> None:
        hub = Hub()
        open_readers = [hub.reader("t") for _ in range(MAX_READERS)]
        for reader in open_readers:
            await reader.__aenter__()
        with pytest.raises(TooManyReadersError):
            await hub.reader("t").__aenter__()
        await hub.reader("u").__aenter__()
        for reader in open_readers:
            await reader.__aexit__(None, None, None)
        await hub.reader("t").__aenter__()

    asyncio.run(go())
