"""Changes of many requests share transactions, and none spoils another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from runner.runtime.records.group_commit import Change, GroupCommit
from runner.store import Store
from runner.store.tables.models import Tenant


def adding(name: str) -> Change:
    return lambda session: session.add(Tenant(id=name, name=name))


def count(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(Tenant)) or 0


def test_a_change_is_on_disk_when_its_write_returns(store: Store) -> None:
    async def go() -> None:
        writer = GroupCommit(store)
        for number in range(3):
            await writer.write(adding(f"t{number}"))
            assert count(store) == number + 1

    asyncio.run(go())


def test_what_comes_together_shares_a_transaction(store: Store) -> None:
    begun = 0
    real = store.begin

    def counting(**options: Any):
        nonlocal begun
        begun += 1
        return real(**options)

    store.begin = counting  # type: ignore[method-assign]

    async def go() -> None:
        writer = GroupCommit(store)
        await asyncio.gather(*(writer.write(adding(f"t{number}")) for number in range(50)))

    asyncio.run(go())
    assert count(store) == 50
    assert begun < 10


def test_one_bad_change_fails_alone(store: Store) -> None:
    def broken(session: Session) -> None:
        raise KeyError("broken")

    async def go() -> list[BaseException | None]:
        writer = GroupCommit(store)
        changes = [adding("a"), broken, adding("b"), adding("a"), adding("c")]
        return await asyncio.gather(*map(writer.write, changes), return_exceptions=True)

    results = asyncio.run(go())
    assert [type(result) for result in results] == [
        type(None),
        KeyError,
        type(None),
        IntegrityError,
        type(None),
    ]
    assert count(store) == 3


def test_a_caller_that_went_away_does_not_undo_its_change(store: Store) -> None:
    async def go() -> None:
        writer = GroupCommit(store)
        task = asyncio.create_task(writer.write(adding("a")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await writer.write(adding("b"))
        await writer.drain()

    asyncio.run(go())
    assert count(store) == 2


def test_a_drained_writer_has_no_thread_and_still_writes(store: Store) -> None:
    def committing() -> list[threading.Thread]:
        return [
            item for item in threading.enumerate() if item.name == "actionbox-commit" and item not in others
        ]

    async def go() -> None:
        writer = GroupCommit(store)
        for name in ("a", "b"):
            await writer.write(adding(name))
            threads = committing()
            assert len(threads) == 1
            await writer.drain()
            threads[0].join(10)
            assert committing() == []

    others = threading.enumerate()
    asyncio.run(go())
    assert count(store) == 2


def test_rows_of_one_transaction_are_inserted_and_a_bad_one_fails_alone(store: Store) -> None:
    statement = insert(Tenant)

    async def go() -> list[BaseException | None]:
        writer = GroupCommit(store)
        rows = [{statement: [{"id": name, "name": name}]} for name in ("a", "b", "a", "c")]
        writes = (writer.write(lambda _: None, each) for each in rows)
        return await asyncio.gather(*writes, return_exceptions=True)

    results = asyncio.run(go())
    assert [type(result) for result in results] == [type(None), type(None), IntegrityError, type(None)]
    assert count(store) == 3


def test_a_change_waits_for_those_that_are_expected_and_no_longer(store: Store) -> None:
    async def go() -> None:
        writer = GroupCommit(store)
        await writer.write(adding("a"))
        with writer.expecting():
            early = asyncio.create_task(writer.write(adding("b")))
            await asyncio.sleep(0)
        late = asyncio.create_task(writer.write(adding("c")))
        await asyncio.gather(early, late)
        with writer.expecting():
            await writer.write(adding("d"))  # nobody comes, and it goes on

    asyncio.run(go())
    assert count(store) == 4


def test_a_commit_that_may_have_happened_is_not_done_again(store: Store) -> None:
    """The connection breaks after the commit and before its confirmation."""
    real, begun, done = store.begin, 0, []

    @contextmanager
    def cut_off(**options: Any) -> Iterator[Session]:
        nonlocal begun
        begun += 1
        with real(**options) as session:
            yield session
        if begun == 1:
            raise OperationalError("commit", {}, Exception("server closed the connection"))

    store.begin = cut_off  # type: ignore[method-assign]

    def noting(name: str) -> Change:
        def change(session: Session) -> None:
            done.append(name)
            session.add(Tenant(id=name, name=name))

        return change

    async def go() -> list[BaseException | None]:
        writer = GroupCommit(store)
        writes = [writer.write(noting(f"t{number}")) for number in range(4)]
        return await asyncio.gather(*writes, return_exceptions=True)

    answers = asyncio.run(go())
    assert sorted(done) == ["t0", "t1", "t2", "t3"]
    assert [type(answer) for answer in answers] == [OperationalError] * 4
    assert count(store) == 4
