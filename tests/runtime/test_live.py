"""Readers get what their tenant's executions say, and a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import json

import pytest

from runner.runtime.log_hub import MAX_BACKLOG_BYTES, MAX_READERS, Hub, Reader, TooManyReadersError
from runner.store.database.engine import json_text


async def following(reader: Reader) -> object:
    """The next item."""
    shown = await reader.next(1)
    assert shown is not None
    assert json.loads(shown.text) == shown.item
    return shown.item


def test_only_readers_of_the_tenant_get_an_item() -> None:
    async def go() -> None:
        hub = Hub()
        async with hub.reader("t") as mine, hub.reader("u") as other:
            assert set(hub.watched()) == {"t", "u"}
            hub.publish("t", {"n": 1})
            assert await following(mine) == {"n": 1}
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
            assert await following(reader) == {"n": 5}

    asyncio.run(go())


def test_a_slow_reader_holds_so_many_bytes_and_no_more() -> None:
    async def go() -> None:
        hub = Hub()
        text = "x" * (MAX_BACKLOG_BYTES // 4 - len(json_text({"n": 0, "text": ""})))
        async with hub.reader("t") as reader:
            for number in range(4):
                hub.publish("t", {"n": number, "text": text})
            assert reader.lost == 0, "at the cap"
            hub.publish("t", {"n": 4})
            assert reader.lost == 1
            assert await following(reader) == {"n": 1, "text": text}
            hub.publish("t", {"n": 5, "text": text})
            assert reader.lost == 1, "what was taken counts no more"

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
