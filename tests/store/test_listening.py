"""What one process commits another hears, at once and only then; a lost connection loses nothing for good."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from runner.store import Store
from runner.store.database.listening import Listening
from runner.store.database.notices import (
    BINDINGS,
    JOBS,
    MAX_PAYLOAD_BYTES,
    MISSED,
    Notice,
    announce,
    parse,
    payload,
)
from runner.store.database.process import alive, lock_of, process
from tests.postgres import new_database

BOUND = Notice(BINDINGS, "t", "post-login")


@pytest.fixture
def stores() -> Iterator[tuple[Store, Store]]:
    """Of two processes on one PostgreSQL."""
    url = new_database()
    here, there = Store.open(url), Store.open(f"{url}?application_name=theirs")
    yield here, there
    here.close()
    there.close()


@contextlib.asynccontextmanager
async def listening(store: Store) -> AsyncIterator[list[Notice]]:
    """While `store` hears; what it was told."""
    told: list[Notice] = []
    for topic in (BINDINGS, JOBS, MISSED):
        store.listen(topic, told.append)
    stop = asyncio.Event()
    task = asyncio.create_task(Listening(store).run(stop))
    try:
        await eventually(lambda: store.hears)
        yield told
    finally:
        stop.set()
        await task


async def eventually(check: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    while not check():
        assert asyncio.get_running_loop().time() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def commit(store: Store, *notices: Notice) -> None:
    with store.begin() as session:
        for notice in notices:
            announce(session, notice)


def test_what_one_commits_the_other_hears_once(stores: tuple[Store, Store]) -> None:
    here, there = stores

    async def go() -> None:
        async with listening(there) as told, listening(here) as own:
            assert told == own == [Notice(MISSED)]
            with contextlib.suppress(KeyError), here.begin() as session:
                announce(session, Notice(JOBS, key="never"))
                raise KeyError
            await asyncio.to_thread(commit, here, BOUND, BOUND, Notice(JOBS, key='"\n'))
            await eventually(lambda: len(told) == 3)
            await asyncio.to_thread(commit, here, BOUND)
            await eventually(lambda: len(told) == 4)
            assert told[1:] == [BOUND, Notice(JOBS, key='"\n'), BOUND]
            assert own == told, "its own ones it was told without the database, and not again"
        assert not there.hears

    asyncio.run(go())


def test_after_a_lost_connection_everything_may_have_been_missed(stores: tuple[Store, Store]) -> None:
    here, there = stores

    async def go() -> None:
        async with listening(there) as told:
            with here.engine.connect() as connection:
                # Other tests have listeners on the same server.
                kill = text(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                    " where application_name = 'actionbox listens' and datname = current_database()"
                )
                assert connection.scalar(kill) == 1
            await eventually(lambda: told.count(Notice(MISSED)) == 2)
            assert there.hears
            await asyncio.to_thread(commit, here, BOUND)
            await eventually(lambda: told[-1] == BOUND)

    asyncio.run(go())


def test_a_connection_that_brings_nothing_back_is_not_believed(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a pooler that gives each statement another connection."""
    _, there = stores
    monkeypatch.setattr("runner.store.database.listening.CHANNEL", "elsewhere")
    monkeypatch.setattr("runner.store.database.listening.payload", lambda _: "[]")
    monkeypatch.setattr("runner.store.database.listening._PROOF_SECONDS", 0.05)

    async def go() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(Listening(there).run(stop))
        await asyncio.sleep(0.5)
        assert not task.done()
        assert not there.hears
        stop.set()
        await task

    asyncio.run(go())


def test_whether_a_process_lives_is_known_from_its_lock(stores: tuple[Store, Store]) -> None:
    here, there = stores

    def living() -> frozenset[int]:
        with here.read() as session:
            return alive(session)

    async def go() -> None:
        assert living() == frozenset()
        async with listening(there):
            assert living() == {lock_of(process())}
        await eventually(lambda: living() == frozenset())

    asyncio.run(go())


@given(st.binary(min_size=4, max_size=4))
def test_a_lock_is_a_number_of_postgresql(name: bytes) -> None:
    number = lock_of(name.hex())
    assert number == int.from_bytes(name, "big", signed=True)


@given(*[st.text(st.characters(exclude_characters="\0"), max_size=64)] * 4)
def test_notices_arrive_as_they_were_sent(sender: str, topic: str, tenant: str, key: str) -> None:
    notice = Notice(topic, tenant, key)
    sent = payload(sender, notice)
    assert parse(sent) == (sender, notice)
    assert len(sent.encode()) <= MAX_PAYLOAD_BYTES


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
@example("[" * 7_000)
@example('["a", "b", "c"]')
def test_what_none_of_us_sent_is_refused(sent: str) -> None:
    try:
        sender, notice = parse(sent)
    except ValueError:
        return
    assert json.loads(sent) == json.loads(payload(sender, notice))
